"""Rate limits shared by all processes; where Redis is away, sign-in falls back to this process, reads go through."""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import structlog
from limits import RateLimitItem
from limits import parse as _parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from portal_app.domain.errors import RateLimited
from portal_app.infra.redis.client import connect
from portal_app.infra.redis.reservations import Allowance, Reservations
from portal_app.language.format import Duration
from portal_app.language.phrase import Phrase

_log = structlog.get_logger(__name__)
# Limits are read from the settings at every event and call.
parse = lru_cache(maxsize=256)(_parse)


@dataclass(frozen=True, slots=True)
class Window:
    """Where the tries of a name are listed, the latest first: at most so many in so many seconds."""

    key: str
    most: int
    seconds: int


@dataclass(slots=True)
class Try:
    """A try that is counted, and given back at its end unless it still counts."""

    counts: bool = True


class LocalLimits:
    """Count tries per name in this process alone, in a moving window, without asking anybody."""

    def __init__(self) -> None:
        # Longest unused first. The library's own storage looks through all names at every try, in a thread.
        self._tries: OrderedDict[tuple[object, ...], tuple[int, deque[float]]] = OrderedDict()

    def seconds_left(self, limit: str, *names: str) -> int:
        """Count one try; return 0 where it is allowed, else the seconds until one is."""
        item, now = parse(limit), time.monotonic()
        seconds = item.get_expiry()
        self._forget(now)
        tries = self._tries.setdefault((item, *names), (seconds, deque()))[1]
        self._tries.move_to_end((item, *names))
        while tries and tries[0] <= now - seconds:
            tries.popleft()
        if len(tries) >= item.amount:
            return max(1, math.ceil(tries[0] + seconds - now))
        tries.append(now)
        return 0

    def _forget(self, now: float) -> None:
        # Two at every try are more than ever come in.
        for _ in range(2):
            if self._tries:
                name = next(iter(self._tries))
                seconds, tries = self._tries[name]
                if tries and tries[-1] > now - seconds:
                    return
                del self._tries[name]


class RateLimits:
    """Count tries per name in a moving window."""

    def __init__(self, redis_url: str, *, timeout: float) -> None:
        self._redis = connect(redis_url, seconds=timeout)
        # Our own connections: the library's would hold a sign-in for seconds of retries while Redis hangs.
        pool: Any = self._redis.connection_pool
        self._shared = MovingWindowRateLimiter(
            RedisStorage(f"async+{redis_url}", implementation="redispy", connection_pool=pool)
        )
        self._reservations = Reservations(self._redis)
        self._own = LocalLimits()
        self._is_away = False

    async def consume(self, limit: str, *names: str, strict: bool = True, words: str | None = None) -> None:
        """Count one try. Raises RateLimited when the limit is used up, with `words` that may name the `{wait}`.

        `limit` as in "5/minute". Redis away: a strict limit is counted in this process, another lets through.
        """
        item = parse(limit)
        try:
            seconds = await _try(self._shared, item, names)
            self._note(None)
        except (RedisError, OSError) as error:
            self._note(error)
            seconds = self._own.seconds_left(limit, *names) if strict else 0
        if seconds:
            raise refusal(seconds, words)

    async def has_room(self, limit: str, *names: str) -> bool:
        """Count one try, and return whether the limit allows it."""
        try:
            await self.consume(limit, *names)
        except RateLimited:
            return False
        return True

    @asynccontextmanager
    async def undecided(self, limit: str, *names: str, wait: float, words: str | None = None) -> AsyncIterator[Try]:
        """Count one try until its outcome is known: at the end it stays counted, or is given back (`counts`).

        Where only tries that are not decided yet fill the limit, waits for them, `wait` seconds at most. Raises
        RateLimited.
        """
        item = parse(limit)
        allowance = Allowance(":".join(names), item.amount, item.get_expiry())
        token, seconds = await self._reservations.take(allowance, wait=wait)
        if seconds:
            raise refusal(seconds, words)
        made = Try()
        try:
            yield made
        finally:
            await asyncio.shield(self._reservations.settle(allowance, token, counts=made.counts))

    def window(self, limit: str, *names: str) -> Window:
        """Return where `hit` counts, for a script that counts there together with other work."""
        item = parse(limit)
        storage: Any = self._shared.storage
        return Window(storage.bridge.prefixed_key(item.key_for(*names)), item.amount, item.get_expiry())

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    def _note(self, error: Exception | None) -> None:
        if error is not None and not self._is_away:
            _log.warning("rate_limit.redis_away", error=type(error).__name__)
        elif error is None and self._is_away:
            _log.info("rate_limit.redis_back")
        self._is_away = error is not None


def refusal(seconds: int, words: str | None) -> RateLimited:
    """Return the error of a limit that is used up, in these words with the wait filled in."""
    if words is None:
        return RateLimited(seconds)
    return RateLimited(seconds, user_message=Phrase(words, wait=Duration(seconds, rounds_up=True)))


async def _try(limiter: MovingWindowRateLimiter, item: RateLimitItem, names: tuple[str, ...]) -> int:
    """Count one try; return 0 where it is allowed, else the seconds until one is."""
    return 0 if await limiter.hit(item, *names) else await _seconds_left(limiter, item, names)


async def _seconds_left(limiter: MovingWindowRateLimiter, item: RateLimitItem, names: tuple[str, ...]) -> int:
    stats = await limiter.get_window_stats(item, *names)
    return max(1, int(stats.reset_time - time.time()) + 1)
