"""Events of vendors. They only trigger a read at the vendor: their content is never stored as the truth."""

from dataclasses import dataclass, field
from typing import Any, Literal

from portal_app.domain.identifiers import LARGEST_NUMBER

Source = Literal["whmcs", "salesforce"]


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """One event. `id` is unique within its source and is the same in every delivery."""

    source: Source
    id: str
    kind: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def workflow_id(self) -> str:
        """The id of the workflow that applies this event."""
        return f"event-{self.source}-{self.id}"

    def numbers(self, *names: str) -> list[int]:
        """Return the WHMCS numbers under these names, without invalid values."""
        given = [self.data.get(name) for name in names]
        return [number for number in given if type(number) is int and 0 < number <= LARGEST_NUMBER]


@dataclass(frozen=True, slots=True)
class ReplayPosition:
    """The position in a Salesforce topic: opaque bytes, stored in the transaction that stores the events before it."""

    topic: str
    replay_id: bytes
