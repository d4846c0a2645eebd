"""Whether Redis answers: while it does not, each process applies the limits by itself."""

import time

import structlog
from prometheus_client import Gauge
from redis.exceptions import RedisError

AWAY = (RedisError, OSError, TimeoutError)
_LOCAL = Gauge(
    "portal_lane_on_its_own", "Processes that limit calls without Redis", ["lane"], multiprocess_mode="livesum"
)
_log = structlog.get_logger(__name__)


class RedisHealth:
    """After a failure Redis is not asked for `pause` seconds; logs when it becomes unavailable and available again."""

    def __init__(self, name: str, *, pause: float) -> None:
        self.is_away = False
        self._name = name
        self._pause = pause
        self._next_try = 0.0

    def is_worth_a_try(self) -> bool:
        """Return whether to ask Redis now."""
        return time.monotonic() >= self._next_try

    def answered(self) -> None:
        """Record that Redis answered."""
        if self.is_away and self.is_worth_a_try():
            self.is_away = False
            _LOCAL.labels(self._name).set(0)
            _log.info("limiter.shared", limiter=self._name)

    def failed(self, error: Exception) -> None:
        """Record that Redis did not answer."""
        self._next_try = time.monotonic() + self._pause
        if not self.is_away:
            self.is_away = True
            _LOCAL.labels(self._name).set(1)
            _log.warning("limiter.local", limiter=self._name, error=type(error).__name__)
