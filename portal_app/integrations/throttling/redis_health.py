"""Whether Redis answers: while it does not, each process applies the limits by itself."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

from portal_app.infra.metrics import gauge

Answer = TypeVar("Answer")
AWAY = (RedisError, OSError, TimeoutError)
_LOCAL = gauge("portal_lane_on_its_own", "Processes that limit calls without Redis", ["lane"], merge="sum")
_log = structlog.get_logger(__name__)


class RedisHealth:
    """After a failure Redis is not asked for `pause` seconds; logs when it becomes unavailable and available again."""

    def __init__(self, name: str, *, pause: float) -> None:
        self.is_away = False
        self._name = name
        self._pause = pause
        self._next_try = 0.0

    async def ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Return the answer of Redis, None while it is away."""
        if time.monotonic() < self._next_try:
            return None
        try:
            answer = await question()
        except AWAY as error:
            self._next_try = time.monotonic() + self._pause
            if not self.is_away:
                self._set(is_away=True)
                _log.warning("limiter.local", limiter=self._name, error=type(error).__name__)
            return None
        # Another call may have failed meanwhile.
        if self.is_away and time.monotonic() >= self._next_try:
            self._set(is_away=False)
            _log.info("limiter.shared", limiter=self._name)
        return answer

    def _set(self, *, is_away: bool) -> None:
        self.is_away = is_away
        _LOCAL.labels(self._name).set(int(is_away))
