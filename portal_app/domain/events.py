"""What arrives from outside, as facts in the past tense: hints to re-read, never the truth."""

from dataclasses import dataclass, field
from typing import Any, Literal

Source = Literal["whmcs", "salesforce"]


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """One event of a vendor. `id` is unique within its source and stays the same over redeliveries."""

    source: Source
    id: str
    kind: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplayPosition:
    """How far a Salesforce topic was read: opaque bytes, stored only with the work they led to."""

    topic: str
    replay_id: bytes
