"""A call with an idempotency key."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Call:
    """A call with a key. `fingerprint` identifies the request's content; only its keyed hash is stored."""

    user_id: UUID
    route: str
    key: str
    fingerprint: str
