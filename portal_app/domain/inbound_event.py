"""What arrives from outside, as facts in the past tense: hints to re-read, never the truth."""

from dataclasses import dataclass, field
from typing import Any, Literal

from portal_app.domain.identifiers import LARGEST_NUMBER

Source = Literal["whmcs", "salesforce"]


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """One event of a vendor. `id` is unique within its source and stays the same over redeliveries."""

    source: Source
    id: str
    kind: str
    data: dict[str, Any] = field(default_factory=dict)

    def numbers(self, *names: str) -> list[int]:
        """Return the WHMCS numbers under some names, without those that cannot be any."""
        given = [self.data.get(name) for name in names]
        return [number for number in given if type(number) is int and 0 < number <= LARGEST_NUMBER]


@dataclass(frozen=True, slots=True)
class ReplayPosition:
    """How far a Salesforce topic was read: opaque bytes, stored only with the work they led to."""

    topic: str
    replay_id: bytes
