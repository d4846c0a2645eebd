"""The sandbox's own clock: real time plus an offset that the back office and tests can move.

The offset is written into a file too, so that a portal in development can move its clock along.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.store import Store

_KIND, _KEY = "clock", "offset"
# Below the sandbox's home: the offset in seconds, for a portal that follows it (PORTAL_CLOCK_FILE).
CLOCK_FILE = "clock.offset"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Clock:
    """Tell the sandbox's time. The offset is kept in the store, so it survives a restart.

    Whatever follows time reads `now()`. What must happen by itself when days pass (renewals, usage) joins
    `on_advance`: each listener gets the time before and after a move, within one transaction.
    """

    def __init__(self, store: Store, file: Path | None = None) -> None:
        self._store = store
        self._file = file
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
        self.write_offset()
        return after

    def write_offset(self) -> None:
        """Write the offset in seconds into the file that others follow."""
        if self._file is not None:
            draft = self._file.with_name(f"{self._file.name}.new")
            draft.write_text(str(self._offset().total_seconds()))
            draft.replace(self._file)

    def move_to(self, moment: datetime) -> datetime:
        """Move the clock to an aware moment and return the new time."""
        return self.advance(moment - self.now())

    def _offset(self) -> timedelta:
        return timedelta(seconds=(self._store.get(_KIND, _KEY) or {"seconds": 0})["seconds"])


def parse_shift(text: str) -> float:
    """Read a number with its unit (s, m, h, d) as seconds. Raises ValueError for anything else."""
    number, unit = text[:-1], text[-1:]
    if unit not in _SECONDS:
        raise ValueError(f"{text!r} is no span of time: write it as 45m, 3h or 10d")
    return float(number) * _SECONDS[unit]
