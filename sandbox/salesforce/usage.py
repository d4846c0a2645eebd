"""Counting API requests against the daily limit."""

from sandbox.clock import Clock
from sandbox.salesforce.describe import DAILY_REQUESTS
from sandbox.store import Store

_SAVED_EVERY = 25


class Usage:
    """Count the requests of the sandbox's current day. A restart may forget the last few, as vendors' figures lag."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._day = ""
        self._count = 0

    def count(self) -> int:
        """Count one request and return today's number."""
        today = self._clock.now().date().isoformat()
        if today != self._day:
            self._day = today
            self._count = (self._store.get("salesforce:usage", today) or {"count": 0})["count"]
        self._count += 1
        if self._count % _SAVED_EVERY == 0:
            self._store.put("salesforce:usage", today, {"count": self._count})
        return self._count

    def today(self) -> int:
        """Return today's number of requests."""
        return self._count

    def header(self) -> str:
        """Return what the Sforce-Limit-Info header says."""
        return f"api-usage={self._count}/{DAILY_REQUESTS}"
