"""Counting events against the org's allocations: those published in an hour and those delivered in a day."""

from sandbox.clock import Clock
from sandbox.store import Store

_KIND = "salesforce:allocations"
# The first letters of a time that say in which hour, or on which day, it is.
_HOUR, _DAY = 13, 10
_PUBLISHED, _DELIVERED = "HourlyPublishedPlatformEvents", "DailyDeliveredPlatformEvents"
_ALLOCATIONS = {_PUBLISHED: (_HOUR, 250_000), _DELIVERED: (_DAY, 50_000)}


class Allocations:
    """Count what the bus takes in and gives out by the sandbox's clock. Change events count once they are delivered."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def count_published(self) -> None:
        """Count one platform event."""
        self._count(_PUBLISHED, 1)

    def count_delivered(self, events: int) -> None:
        """Count events of any kind that went to one subscriber."""
        self._count(_DELIVERED, events)

    def limits(self) -> dict[str, dict[str, int]]:
        """Return what is allowed and what is left, as /limits tells it."""
        return {
            name: {"Max": most, "Remaining": max(0, most - self._used(name))}
            for name, (_, most) in _ALLOCATIONS.items()
        }

    def _count(self, name: str, events: int) -> None:
        with self._store.transaction():
            self._store.put(_KIND, name, {"in": self._now(name), "count": self._used(name) + events})

    def _used(self, name: str) -> int:
        kept = self._store.get(_KIND, name)
        return int(kept["count"]) if kept and kept["in"] == self._now(name) else 0

    def _now(self, name: str) -> str:
        return self._clock.now().isoformat()[: _ALLOCATIONS[name][0]]
