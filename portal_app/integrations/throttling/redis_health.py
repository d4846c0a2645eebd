"""Whether Redis answers: what is shared through it goes on in each process for itself while it is away."""

import time

import structlog
from redis.exceptions import RedisError

from portal_app.infra.metrics import gauge

AWAY = (RedisError, OSError, TimeoutError)
_ON_ITS_OWN = gauge("portal_lane_on_its_own", "Processes that keep a lane's limits alone", ["lane"], merge="sum")
_log = structlog.get_logger(__name__)


class RedisHealth:
    """After a failure nobody asks Redis for `pause` seconds; said once when it goes and once when it is back."""

    def __init__(self, name: str, *, pause: float) -> None:
        self.is_away = False
        self._name = name
        self._pause = pause
        self._next_try = 0.0

    def is_worth_a_try(self) -> bool:
        """Say whether to ask Redis now."""
        return time.monotonic() >= self._next_try

    def answered(self) -> None:
        """Note that Redis answered."""
        if self.is_away and self.is_worth_a_try():
            self.is_away = False
            _ON_ITS_OWN.labels(self._name).set(0)
            _log.info("lane.shared_again", lane=self._name)

    def failed(self, error: Exception) -> None:
        """Note that Redis did not answer."""
        self._next_try = time.monotonic() + self._pause
        if not self.is_away:
            self.is_away = True
            _ON_ITS_OWN.labels(self._name).set(1)
            _log.warning("lane.on_its_own", lane=self._name, error=type(error).__name__)
