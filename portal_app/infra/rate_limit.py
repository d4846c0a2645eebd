"""Rate limits shared by all processes; where Redis is away, sign-in falls back to this process, reads go through."""

import time

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from portal_app.domain.errors import RateLimited

_log = structlog.get_logger(__name__)


class RateLimits:
    """Count tries per name in a moving window."""

    def __init__(self, redis_url: str) -> None:
        self._shared = MovingWindowRateLimiter(
            RedisStorage(
                f"async+{redis_url}", implementation="redispy", socket_timeout=0.25, socket_connect_timeout=0.25
            )
        )
        self._local = MovingWindowRateLimiter(MemoryStorage())

    async def hit(self, limit: str, *names: str, strict: bool = True) -> None:
        """Count one try. Raises RateLimited when the limit is used up.

        `limit` as in "5/minute". Redis away: a strict limit is counted in this process, another lets through.
        """
        item = parse(limit)
        try:
            allowed = await self._shared.hit(item, *names)
            limiter = self._shared
        except (RedisError, OSError) as error:
            _log.warning("rate_limit.redis_away", error=type(error).__name__)
            if not strict:
                return
            limiter = self._local
            allowed = await self._local.hit(item, *names)
        if not allowed:
            raise RateLimited(await _seconds_left(limiter, item, names))


async def _seconds_left(limiter: MovingWindowRateLimiter, item: RateLimitItem, names: tuple[str, ...]) -> int:
    stats = await limiter.get_window_stats(item, *names)
    return max(1, int(stats.reset_time - time.time()) + 1)
