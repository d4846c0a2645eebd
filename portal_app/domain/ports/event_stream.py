"""Salesforce's event bus, as the listener sees it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol


class StreamEvent(NamedTuple):
    """One event of a stream. `undecodable` events carry no payload and are set aside, not retried.

    Salesforce keeps an event for 72 hours: with topic, replay id and schema id a person can fetch it again.
    """

    topic: str
    id: str
    replay_id: bytes
    payload: Mapping[str, Any]
    undecodable: bool = False
    schema_id: str = ""


@dataclass(frozen=True, slots=True)
class StreamBatch:
    """What one answer of the stream held; an empty one only moves the position forward, unless it names none."""

    topic: str
    replay_id: bytes
    events: tuple[StreamEvent, ...] = field(default=())


class PositionLost(Exception):
    """The stored replay position is no longer valid: what was missed must be reconciled."""


class EventStream(Protocol):
    """Salesforce's event bus."""

    def batches(self, topic: str, *, after: bytes | None) -> AsyncIterator[StreamBatch]:
        """Yield batches after a position (None: only new ones) until the connection ends.

        Further credit is asked for only when the consumer comes back for the next batch. Raises
        ExternalUnavailable when the stream breaks and PositionLost when the position is refused.
        """
