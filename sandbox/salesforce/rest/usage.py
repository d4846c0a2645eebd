"""Counting API requests against the daily limit."""

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.store import Store

_SAVED_EVERY = 25


class Usage:
    """Count the requests of the sandbox's current day. A restart may forget the last few, as vendors' figures lag."""

    def __init__(self, store: Store, clock: Clock, faults: Faults, *, daily: int) -> None:
        self.daily = daily
        self._faults = faults
        self._store = store
        self._clock = clock
        self._day = ""
        self._count = 0

    def count(self) -> None:
        """Count one request."""
        self._begin_day()
        self._count += 1
        if self._count % _SAVED_EVERY == 0:
            self._store.put("salesforce:usage", self._day, {"count": self._count})

    def used(self) -> int:
        """Return today's number of requests, with those that the switch board says were used already."""
        self._begin_day()
        return self._count + self._faults.level("salesforce", "requests_used")

    def is_spent(self) -> bool:
        """Say whether today's requests are used up."""
        return self.used() >= self.daily

    def header(self) -> str:
        """Return what the Sforce-Limit-Info header says."""
        return f"api-usage={self.used()}/{self.daily}"

    def _begin_day(self) -> None:
        today = self._clock.now().date().isoformat()
        if today != self._day:
            self._day = today
            self._count = (self._store.get("salesforce:usage", today) or {"count": 0})["count"]
