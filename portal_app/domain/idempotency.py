"""A call that carries an idempotency key."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Call:
    """Something asked for with a key. `said` is all that was said; only its keyed hash is stored."""

    user_id: UUID
    route: str
    key: str
    fingerprint: str
