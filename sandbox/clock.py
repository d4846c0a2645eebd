"""The sandbox's own clock: real time plus an offset that the back office and tests can move."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sandbox.store import Store

_KIND, _KEY = "clock", "offset"


class Clock:
    """Tell the sandbox's time. The offset is kept in the store, so it survives a restart.

    Whatever follows time reads `now()`. What must happen by itself when days pass (renewals, usage) joins
    `on_advance`: each listener gets the time before and after a move, within one transaction.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.on_advance: list[Callable[[datetime, datetime], None]] = []

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC) + self._offset()

    def advance(self, step: timedelta) -> datetime:
        """Move the clock by `step` (forwards or back) and return the new time."""
        with self._store.transaction():
            before = self.now()
            self._store.put(_KIND, _KEY, {"seconds": (self._offset() + step).total_seconds()})
            after = self.now()
            for listener in self.on_advance:
                listener(before, after)
        return after

    def move_to(self, moment: datetime) -> datetime:
        """Move the clock to an aware moment and return the new time."""
        return self.advance(moment - self.now())

    def _offset(self) -> timedelta:
        return timedelta(seconds=(self._store.get(_KIND, _KEY) or {"seconds": 0})["seconds"])
