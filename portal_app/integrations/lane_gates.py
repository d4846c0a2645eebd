"""The two gates of a lane: one that all processes share through Redis, one for a process alone."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, cast

from redis.asyncio import Redis

Priority = Literal["customer", "background", "sync"]
PRIORITIES: tuple[Priority, ...] = ("customer", "background", "sync")
ENTERED, FULL = -1, -2
_TICKET_MILLISECONDS = 2000
_TALKING_TO_REDIS = 8

# One script, so that look and take are one step for all processes; the server's clock, so that ours need not agree.
# Tickets and leases expire: a killed process gives back what it held. A ticket holds back all of lower priority, and
# takes no place in the queue from those of higher.
# A call counts against the rate from its entry until one period after its end. The moment at which the vendor sees it
# lies between the two, so that the vendor never sees more than the rate in any window of its own either.
_ENTER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local running, window, hour = KEYS[1], KEYS[2], KEYS[3]
local token, level = ARGV[1], tonumber(ARGV[2])
local concurrency, lease, rate, period, queue, ticket, waited = tonumber(ARGV[3]), tonumber(ARGV[4]),
    tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
redis.call('ZREMRANGEBYSCORE', running, '-inf', now)
-- Exclusive: times are cut to whole milliseconds, and a window must be over, not almost.
redis.call('ZREMRANGEBYSCORE', window, '-inf', '(' .. (now - period))
local waiting, ahead = 0, 0
for index = 4, #KEYS do
    redis.call('ZREMRANGEBYSCORE', KEYS[index], '-inf', now)
    local count = redis.call('ZCARD', KEYS[index])
    if index - 3 < level then ahead = ahead + count end
    if index - 3 <= level then waiting = waiting + count end
end
local hint = 0
local is_full = redis.call('ZCARD', window) >= rate
if is_full then
    local oldest = tonumber(redis.call('ZRANGE', window, 0, 0, 'WITHSCORES')[2])
    if oldest <= now then hint = math.max(1, oldest + period + 1 - now) end
end
local mine = KEYS[3 + level]
if not is_full and redis.call('ZCARD', running) < concurrency and ahead == 0 then
    redis.call('ZADD', running, now + lease, token)
    redis.call('ZADD', window, now + lease, token)
    redis.call('PEXPIRE', running, lease * 2)
    redis.call('PEXPIRE', window, lease + period * 2)
    redis.call('ZREM', mine, token)
    redis.call('HINCRBY', hour, 'entered', 1)
    redis.call('HINCRBY', hour, 'waited', waited)
    if waited > tonumber(redis.call('HGET', hour, 'longest') or 0) then redis.call('HSET', hour, 'longest', waited) end
    redis.call('PEXPIRE', hour, 7200000)
    return -1
end
if not redis.call('ZSCORE', mine, token) and waiting >= queue then
    redis.call('HINCRBY', hour, 'full', 1)
    redis.call('PEXPIRE', hour, 7200000)
    return -2
end
redis.call('ZADD', mine, now + ticket, token)
redis.call('PEXPIRE', mine, ticket * 2)
return hint
"""
# Only what is still there: a call whose end overtook this, or that counts as lost, does not come back.
_KEEP = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease, period = tonumber(ARGV[2]), tonumber(ARGV[3])
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
    redis.call('ZADD', KEYS[1], now + lease, ARGV[1])
    redis.call('ZADD', KEYS[2], now + lease, ARGV[1])
    redis.call('PEXPIRE', KEYS[1], lease * 2)
    redis.call('PEXPIRE', KEYS[2], lease + period * 2)
end
"""
_LEAVE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then redis.call('ZADD', KEYS[2], now, ARGV[1]) end
for index = 4, #KEYS do redis.call('ZREM', KEYS[index], ARGV[1]) end
if ARGV[2] == '1' then
    redis.call('HINCRBY', KEYS[3], 'late', 1)
    redis.call('PEXPIRE', KEYS[3], 7200000)
end
"""
_STATE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local counts = {redis.call('ZCOUNT', KEYS[1], now, '+inf'), redis.call('ZCOUNT', KEYS[2], now - ARGV[1], '+inf')}
for index = 4, #KEYS do table.insert(counts, redis.call('ZCOUNT', KEYS[index], now, '+inf')) end
return {counts, redis.call('HGETALL', KEYS[3])}
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a lane lets through; `period` and `lease` (how long a slot lasts unless it is kept) in milliseconds."""

    concurrency: int
    rate: int
    period: int
    queue: int
    lease: int


@dataclass(frozen=True, slots=True)
class LaneCounts:
    """How a lane stands. `hour` has entered, waited and longest (milliseconds), full and late since the hour began."""

    running: int
    in_window: int
    waiting: Mapping[Priority, int]
    hour: Mapping[str, int]


class Gate(Protocol):
    """Where a call asks to be let through."""

    async def enter(self, token: str, priority: Priority, waited: float) -> int:
        """Return ENTERED, FULL, or a hint in milliseconds for the next try (0: unknown)."""

    async def keep(self, token: str) -> None:
        """Say that a call still runs."""

    async def leave(self, token: str, *, late: bool = False) -> None:
        """Give up the slot or the ticket; `late` says that the call was turned away after its wait."""


class SharedGate:
    """The limits as Redis counts them."""

    def __init__(self, redis: Redis, name: str, limits: Limits) -> None:
        self._limits = limits
        self._enter = cast(Callable[..., Awaitable[int]], redis.register_script(_ENTER))
        self._keep = cast(Callable[..., Awaitable[None]], redis.register_script(_KEEP))
        self._leave = cast(Callable[..., Awaitable[None]], redis.register_script(_LEAVE))
        self._state = cast(Callable[..., Awaitable[Any]], redis.register_script(_STATE))
        # A crowd at the door must not open a connection each: on a busy host that alone looks like Redis being away.
        self._at_once = asyncio.Semaphore(_TALKING_TO_REDIS)
        self._prefix = f"lane:{{{name}}}:"

    async def enter(self, token: str, priority: Priority, waited: float) -> int:
        """Ask all processes' gate."""
        own, level = self._limits, PRIORITIES.index(priority) + 1
        numbers = (own.concurrency, own.lease, own.rate, own.period, own.queue, _TICKET_MILLISECONDS)
        async with self._at_once:
            return int(await self._enter(keys=self._keys(), args=[token, level, *numbers, int(waited * 1000)]))

    async def keep(self, token: str) -> None:
        """Hold a slot of all processes for another lease."""
        async with self._at_once:
            await self._keep(keys=self._keys(), args=[token, self._limits.lease, self._limits.period])

    async def leave(self, token: str, *, late: bool = False) -> None:
        """Leave all processes' gate."""
        async with self._at_once:
            await self._leave(keys=self._keys(), args=[token, int(late)])

    async def counts(self) -> LaneCounts:
        """Count what all processes do now."""
        (running, in_window, *waiting), pairs = await self._state(keys=self._keys(), args=[self._limits.period])
        hour = {pairs[place].decode(): int(pairs[place + 1]) for place in range(0, len(pairs), 2)}
        return LaneCounts(running, in_window, dict(zip(PRIORITIES, waiting, strict=True)), hour)

    def _keys(self) -> list[str]:
        names = ("running", "window", f"hour:{datetime.now(UTC):%d%H}", "customers", "background", "sync")
        return [self._prefix + name for name in names]


class OwnGate:
    """The same limits for this process alone."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._running: set[str] = set()
        self._ended: dict[str, float] = {}
        self._waiting: dict[str, Priority] = {}

    async def enter(self, token: str, priority: Priority, waited: float) -> int:
        """Ask this process's gate."""
        now, own = time.monotonic() * 1000, self._limits
        self._forget(now)
        is_full = len(self._running) + len(self._ended) >= own.rate
        level = PRIORITIES.index(priority)
        held_back = any(PRIORITIES.index(other) < level for other in self._waiting.values())
        if not is_full and len(self._running) < own.concurrency and not held_back:
            self._running.add(token)
            self._waiting.pop(token, None)
            return ENTERED
        ahead = sum(PRIORITIES.index(other) <= level for other in self._waiting.values())
        if token not in self._waiting and ahead >= own.queue:
            return FULL
        self._waiting[token] = priority
        oldest = next(iter(self._ended.values()), None)
        return int(oldest + own.period - now) + 1 if is_full and oldest is not None else 0

    async def keep(self, token: str) -> None:
        """Do nothing: a slot of this process lasts as long as its call."""

    async def leave(self, token: str, *, late: bool = False) -> None:
        """Leave this process's gate."""
        self._waiting.pop(token, None)
        if token in self._running:
            self._running.remove(token)
            self._ended[token] = time.monotonic() * 1000

    def counts(self) -> LaneCounts:
        """Count what this process does now."""
        self._forget(time.monotonic() * 1000)
        waiting = list(self._waiting.values())
        by_priority = {priority: waiting.count(priority) for priority in PRIORITIES}
        return LaneCounts(len(self._running), len(self._running) + len(self._ended), by_priority, {})

    def _forget(self, now: float) -> None:
        self._ended = {token: at for token, at in self._ended.items() if at > now - self._limits.period}
