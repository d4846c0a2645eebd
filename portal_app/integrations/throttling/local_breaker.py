"""The circuit breaker of one process."""

import math
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerTimes:
    """After how many failures in a row it opens, for how many seconds, and at most how long at a vendor's request."""

    failures: int = 5
    open: float = 10.0
    longest_open: float = 300.0


class LocalBreaker:
    """Counts failures in a row; after the open time one call at a time probes the vendor."""

    def __init__(self, times: BreakerTimes) -> None:
        self._times = times
        self._failures = 0
        self._open_until: float | None = None
        self._probe, self._probe_until = "", 0.0
        self._is_down = False

    @property
    def has_no_failure(self) -> bool:
        """Whether no call has failed since the last that was answered."""
        return not self._failures and not self._is_down

    def open_for(self) -> tuple[int, bool]:
        """Return for how many milliseconds it is open yet, and whether it has opened."""
        if self._open_until is None:
            return 0, False
        return max(0, math.ceil((self._open_until - time.monotonic()) * 1000)), True

    def enter(self, token: str, seconds: float) -> int:
        """Return 1 where a call of so many seconds may start, else the negative milliseconds to wait."""
        now = time.monotonic()
        if self._open_until is None:
            return 1
        busy_until = max(self._open_until, self._probe_until if self._probe not in ("", token) else 0.0)
        if now < busy_until:
            return -max(1, int((busy_until - now) * 1000))
        self._probe, self._probe_until = token, now + seconds
        return 1

    def failed(self, token: str, asked: float) -> None:
        """Record a failure; `asked` is the pause in seconds that the vendor requested, or 0."""
        self._failures += 1
        is_enough = self._open_until is None and self._failures >= self._times.failures
        if token == self._probe or is_enough or asked:
            self._open_until = time.monotonic() + max(self._times.open, asked)
            self._probe = ""

    def answered(self) -> bool:
        """Record that the vendor answered; return whether an outage ends with it."""
        was_down = self._is_down
        self._failures, self._open_until, self._probe, self._is_down = 0, None, "", False
        return was_down

    def withdraw(self, token: str) -> None:
        """Let another call probe: this one ended without a result."""
        self._probe = "" if token == self._probe else self._probe

    def note_down(self) -> bool:
        """Record an outage; return whether it is new."""
        was_down, self._is_down = self._is_down, True
        return not was_down
