"""Tries that are counted before their outcome is known, and given back where they were right.

Counting afterwards would let many at once exceed a limit; counting for good would let right tries use it up.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from portal_app.infra.clock import unmoved_timestamp
from portal_app.infra.redis.scripts import RedisScripts

# Twice as long as a try may take: one whose process died is no longer waited for.
_OPEN_SECONDS = 30
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.25
# As many times the limit may wait in one process for tries that are not decided yet.
_MOST_WAITING = 3
_UNDECIDED = -1
_TAKE = """
local now, most, seconds, open = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - seconds)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - open)
if redis.call('ZCARD', KEYS[1]) < most then
    redis.call('ZADD', KEYS[1], now, ARGV[5])
    redis.call('EXPIRE', KEYS[1], seconds)
    redis.call('ZADD', KEYS[2], now, ARGV[5])
    redis.call('EXPIRE', KEYS[2], open)
    return 0
end
if redis.call('ZCARD', KEYS[2]) > 0 then return -1 end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return math.max(1, math.ceil(oldest[2] + seconds - now))
"""
_SETTLE = """
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] == '0' then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 0
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most so many tries of a name in so many seconds."""

    name: str
    most: int
    seconds: int

    @property
    def keys(self) -> tuple[str, str]:
        """Where the tries are listed, and which of them are not decided yet."""
        return f"tries:{{{self.name}}}:counted", f"tries:{{{self.name}}}:open"


@dataclass(slots=True)
class _Tries:
    """The tries of one name in this process: when each was made, and which are not decided yet."""

    counted: dict[str, float] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)


class SharedTries:
    """Tries at Redis, counted over all processes. Both methods raise RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._scripts = RedisScripts(redis)

    async def take(self, allowance: Allowance, token: str) -> int:
        """Count one; return 0 where it is allowed, -1 where undecided ones fill the limit, else the seconds to wait."""
        args = (repr(unmoved_timestamp()), allowance.most, allowance.seconds, _OPEN_SECONDS, token)
        return int(await self._scripts.run(_TAKE, allowance.keys, args))

    async def settle(self, allowance: Allowance, token: str, *, counts: bool) -> None:
        """Note that one is decided."""
        await self._scripts.run(_SETTLE, allowance.keys, (token, int(counts)))


class LocalTries:
    """Tries in this process alone, for while Redis is away."""

    def __init__(self) -> None:
        self._tries: dict[str, _Tries] = {}

    def take(self, allowance: Allowance, token: str) -> int:
        """Count one, as at Redis."""
        now = time.monotonic()
        self._forget(allowance, now)
        tries = self._tries.setdefault(allowance.name, _Tries())
        if len(tries.counted) < allowance.most:
            tries.counted[token] = now
            tries.open.add(token)
            return 0
        if tries.open:
            return _UNDECIDED
        return max(1, math.ceil(min(tries.counted.values()) + allowance.seconds - now))

    def settle(self, allowance: Allowance, token: str, *, counts: bool) -> None:
        """Note that one is decided."""
        if (tries := self._tries.get(allowance.name)) is None:
            return
        tries.open.discard(token)
        if not counts:
            tries.counted.pop(token, None)

    def _forget(self, allowance: Allowance, now: float) -> None:
        # A storm brings thousands of names: those of the past are looked through only where there are many.
        names = list(self._tries) if len(self._tries) > 10_000 else [allowance.name]
        for name in names:
            if (tries := self._tries.get(name)) is not None:
                tries.counted = {key: at for key, at in tries.counted.items() if at > now - allowance.seconds}
                if not tries.counted:
                    del self._tries[name]


class WaitingRoom:
    """How many of this process wait for undecided tries, by name."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, allowance: Allowance) -> AsyncIterator[bool]:
        """Say whether there is room for one more, and hold its place."""
        name = allowance.name
        has_room = self._waiting[name] < _MOST_WAITING * allowance.most
        self._waiting[name] += has_room
        try:
            yield has_room
        finally:
            self._waiting[name] -= has_room
            if not self._waiting[name]:
                del self._waiting[name]


class Reservations:
    """Count tries for a while: in Redis, or in this process while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._shared = SharedTries(redis)
        self._local = LocalTries()
        self._room = WaitingRoom()

    async def take(self, allowance: Allowance, *, wait: float) -> tuple[str, int]:
        """Return the token of a counted try and 0, or the seconds after which to ask again.

        Waits for at most `wait` seconds where only tries that are not decided yet stand in the way.
        """
        token, pause, waited = uuid4().hex, _FIRST_PAUSE, 0.0
        seconds = await self._take(allowance, token)
        if seconds != _UNDECIDED:
            return token, seconds
        async with self._room.place(allowance) as has_room:
            while has_room and seconds == _UNDECIDED and waited < wait:
                await asyncio.sleep(pause)
                waited, pause = waited + pause, min(2 * pause, _LONGEST_PAUSE)
                seconds = await self._take(allowance, token)
        return token, max(math.ceil(wait), 1) if seconds == _UNDECIDED else seconds

    async def settle(self, allowance: Allowance, token: str, *, counts: bool) -> None:
        """Note that a try is decided: it stays counted, or is given back."""
        self._local.settle(allowance, token, counts=counts)
        try:
            await self._shared.settle(allowance, token, counts=counts)
        except (RedisError, OSError):
            # It stays counted until its time is over.
            return

    async def _take(self, allowance: Allowance, token: str) -> int:
        try:
            return await self._shared.take(allowance, token)
        except (RedisError, OSError):
            return self._local.take(allowance, token)
