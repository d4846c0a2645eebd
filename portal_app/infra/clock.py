"""The portal's one clock: PostgreSQL's, in UTC, and the business date in Japan.

Every host goes by PostgreSQL's clock, so that all agree on what was before what. Between two readings time passes by a
counter that nobody sets; before the first reading the host's own clock is used. Durations are measured with
`time.monotonic`, not here.

In development the clock can be moved: it follows an offset that the sandbox's back office writes. Times that a clock
outside made or will check (signed logins, webhooks, authenticator codes) are compared with the unmoved clock.
"""

import time
from datetime import UTC, date, datetime
from pathlib import Path

from portal_app.language.format import JAPAN

_COUNTER = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class _Reading:
    """The last reading of PostgreSQL's clock, and the counter at that moment."""

    database_seconds: float | None = None
    counter_seconds: float = 0.0


class _Offset:
    """The file with the seconds by which development moves the clock, and what was read from it last."""

    file: Path | None = None
    version: tuple[int, int] | None = None
    seconds: float = 0.0


def counter_seconds() -> float:
    """Return the seconds of a counter that goes on while the host sleeps."""
    return time.clock_gettime(_COUNTER)


def set_clock(database_seconds: float, *, counter: float) -> None:
    """Go by what PostgreSQL's clock showed (unix seconds) when the counter stood there."""
    _Reading.database_seconds, _Reading.counter_seconds = database_seconds, counter


def follow_offset(file: Path | None) -> None:
    """Move the clock by the seconds that a file holds, from now on; None goes back to the real time."""
    _Offset.file, _Offset.version, _Offset.seconds = file, None, 0.0


def offset_seconds() -> float:
    """Return by how many seconds development has moved the clock; 0 in production."""
    if _Offset.file is None:
        return 0.0
    try:
        found = _Offset.file.stat()
        version = (found.st_mtime_ns, found.st_ino)
        if version != _Offset.version:
            _Offset.seconds, _Offset.version = float(_Offset.file.read_text()), version
    except (FileNotFoundError, ValueError):
        _Offset.seconds, _Offset.version = 0.0, None
    return _Offset.seconds


def unmoved_timestamp() -> float:
    """Return the real time in unix seconds: for what a clock outside has made, or will check."""
    if _Reading.database_seconds is None:
        return time.time()
    return _Reading.database_seconds + counter_seconds() - _Reading.counter_seconds


def timestamp() -> float:
    """Return the present time in unix seconds."""
    return unmoved_timestamp() + offset_seconds()


def now() -> datetime:
    """Return the present time, aware, in UTC."""
    return datetime.fromtimestamp(timestamp(), UTC)


def today() -> date:
    """Return the business date: the day in Japan."""
    return now().astimezone(JAPAN).date()


def host_seconds() -> float:
    """Return what this host's own clock shows, in unix seconds: only to compare it with another clock."""
    return time.time()


def host_ahead_seconds() -> float:
    """Return by how many seconds this host's own clock is ahead of PostgreSQL's."""
    return time.time() - unmoved_timestamp()


def accepted_timestamps() -> tuple[float, ...]:
    """Return the times against which a time made by somebody else's clock is checked: PostgreSQL's and the host's.

    Either may be the one that is off, so a check that passes for one of them is enough.
    """
    return unmoved_timestamp(), time.time()
