"""The sandbox's own clock: real time plus an offset that the back office and tests can move."""

from datetime import UTC, datetime, timedelta

from sandbox.store import Store


class Clock:
    """Tell the sandbox's time. The offset is kept in the store, so it survives a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC) + self._offset()

    def advance(self, step: timedelta) -> datetime:
        """Move the clock by `step` (forwards or back) and return the new time."""
        seconds = (self._offset() + step).total_seconds()
        self._store.put("clock", "offset", {"seconds": seconds})
        return self.now()

    def _offset(self) -> timedelta:
        return timedelta(seconds=(self._store.get("clock", "offset") or {"seconds": 0})["seconds"])
