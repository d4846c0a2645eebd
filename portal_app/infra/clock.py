"""The portal's clock: PostgreSQL's, so that hosts whose own clocks differ agree on what was before what.

Between two looks time passes by a counter that nobody sets. Until the first look, the host's own clock is all there is.
"""

import time
from datetime import UTC, datetime

_COUNTER = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class _Seen:
    """What PostgreSQL's clock showed, at which point of the counter."""

    shown: float | None = None
    at: float = 0.0


def counted() -> float:
    """Return the seconds of a counter that goes on while the host sleeps."""
    return time.clock_gettime(_COUNTER)


def set_by(shown: float, *, at: float) -> None:
    """Go by what PostgreSQL's clock showed (unix seconds) at a point of the counter."""
    _Seen.shown, _Seen.at = shown, at


def timestamp() -> float:
    """Return the present time in unix seconds."""
    return time.time() if _Seen.shown is None else _Seen.shown + counted() - _Seen.at


def now() -> datetime:
    """Return the present time, aware, in UTC."""
    return datetime.fromtimestamp(timestamp(), UTC)


def host_is_ahead() -> float:
    """Return by how many seconds this host's own clock is ahead of the portal's."""
    return time.time() - timestamp()


def accepted_times() -> tuple[float, ...]:
    """Return every time it may be elsewhere: the portal's, and the host's own.

    Who checks what a stranger's clock has made accepts either: one of ours may be the one that is off.
    """
    return timestamp(), time.time()
