"""Lanes: how many calls a vendor gets at once and per minute, counted over all of the portal's processes."""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Literal, Protocol, cast
from uuid import uuid4

import structlog
from limits import parse as parse_rate
from prometheus_client import Counter, Gauge, Histogram
from redis.asyncio import Redis
from redis.exceptions import RedisError

from portal_app.domain.errors import ExternalUnavailable

Priority = Literal["customer", "background"]
lane_priority: ContextVar[Priority] = ContextVar("lane_priority", default="customer")

_log = structlog.get_logger(__name__)
_WAIT = Histogram("portal_lane_wait_seconds", "How long calls waited for their turn", ["lane"])
_IN_FLIGHT = Gauge("portal_lane_in_flight", "Calls under way", ["lane"], multiprocess_mode="livesum")
_REJECTED = Counter("portal_lane_rejected", "Calls turned away", ["lane", "reason"])

_ENTERED, _FULL = -1, -2
_TICKET_MILLISECONDS = 2000
_TALKING_TO_REDIS = 8

# One script, so that look and take are one step for all processes; the server's clock, so that ours need not agree.
# Tickets and leases expire: a killed process gives back what it held. Customers' tickets hold background calls back.
_ENTER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local running, window, customers, background = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, priority = ARGV[1], ARGV[2]
local concurrency, lease, rate, period, queue, ticket = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]),
    tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
for _, key in ipairs({running, customers, background}) do redis.call('ZREMRANGEBYSCORE', key, '-inf', now) end
redis.call('ZREMRANGEBYSCORE', window, '-inf', now - period)
local mine = priority == 'customer' and customers or background
local waiting = redis.call('ZSCORE', mine, token)
local hint = 0
if redis.call('ZCARD', window) >= rate then
    local oldest = redis.call('ZRANGE', window, 0, 0, 'WITHSCORES')
    hint = math.max(1, tonumber(oldest[2]) + period - now)
end
local others = redis.call('ZCARD', customers)
if hint == 0 and redis.call('ZCARD', running) < concurrency and (priority == 'customer' or others == 0) then
    redis.call('ZADD', running, now + lease, token)
    redis.call('ZADD', window, now, token)
    redis.call('PEXPIRE', running, lease * 2)
    redis.call('PEXPIRE', window, period * 2)
    redis.call('ZREM', mine, token)
    return -1
end
if not waiting and others + redis.call('ZCARD', background) >= queue then return -2 end
redis.call('ZADD', mine, now + ticket, token)
redis.call('PEXPIRE', mine, ticket * 2)
return hint
"""


class LaneClosed(ExternalUnavailable):
    """The lane had no room for this call; it was never sent and is not repeated at once."""


class _Gate(Protocol):
    async def enter(self, token: str, priority: Priority) -> int:
        """Return _ENTERED, _FULL, or a hint in milliseconds for the next try (0: unknown)."""

    async def leave(self, token: str) -> None:
        """Give up the slot or the ticket."""


class Lane:
    """Let calls to one vendor through: `concurrency` at once, `rate` such as "300/minute", over all processes.

    At most `queue` calls wait, none longer than `timeout` seconds. While Redis is away each process keeps the same
    limits for itself, and looks for Redis again after `without_redis_seconds`.
    """

    without_redis_seconds = 2.0

    def __init__(self, redis: Redis, name: str, *, concurrency: int, rate: str, queue: int, timeout: float) -> None:
        self.name = name
        limit = parse_rate(rate)
        limits = _Limits(concurrency, limit.amount, limit.get_expiry() * 1000, queue, int(timeout * 2000) + 10_000)
        self._timeout = timeout
        self._shared = _SharedGate(redis, name, limits)
        self._own = _OwnGate(limits)
        self._redis_back_at = 0.0
        self._redis_is_away = False

    @asynccontextmanager
    async def slot(self, operation: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises LaneClosed when the queue is full or the wait is over."""
        token = uuid4().hex
        began = time.monotonic()
        gate = await self._wait(token, operation)
        _WAIT.labels(self.name).observe(time.monotonic() - began)
        _IN_FLIGHT.labels(self.name).inc()
        try:
            yield
        finally:
            _IN_FLIGHT.labels(self.name).dec()
            await asyncio.shield(self._leave(gate, token))

    async def _wait(self, token: str, operation: str) -> _Gate:
        priority = lane_priority.get()
        deadline = time.monotonic() + self._timeout
        pause = 0.01
        gate: _Gate = self._own
        try:
            while True:
                gate, answer = await self._enter(token, priority)
                if answer == _ENTERED:
                    return gate
                if answer == _FULL:
                    raise self._closed("full", operation)
                pause = min(pause * 1.5, 0.1)
                wait = min(answer / 1000, 1.0) or pause * random.uniform(0.5, 1.0)  # noqa: S311  spread, not secrecy
                if time.monotonic() + wait > deadline:
                    raise self._closed("late", operation)
                await asyncio.sleep(wait)
        except BaseException:
            await asyncio.shield(self._leave(gate, token))
            raise

    async def _enter(self, token: str, priority: Priority) -> tuple[_Gate, int]:
        if time.monotonic() < self._redis_back_at:
            return self._own, await self._own.enter(token, priority)
        try:
            answer = await self._shared.enter(token, priority)
        except (RedisError, OSError, TimeoutError) as error:
            self._redis_failed(error)
            return self._own, await self._own.enter(token, priority)
        await self._own.leave(token)  # a ticket drawn while Redis was away would hold others back for ever
        if self._redis_is_away and time.monotonic() >= self._redis_back_at:
            self._redis_is_away = False
            _log.info("lane.shared_again", lane=self.name)
        return self._shared, answer

    async def _leave(self, gate: _Gate, token: str) -> None:
        try:
            await gate.leave(token)
        except (RedisError, OSError, TimeoutError) as error:
            self._redis_failed(error)  # the lease ends by itself

    def _redis_failed(self, error: Exception) -> None:
        self._redis_back_at = time.monotonic() + self.without_redis_seconds
        if not self._redis_is_away:
            self._redis_is_away = True
            _log.warning("lane.on_its_own", lane=self.name, error=type(error).__name__)

    def _closed(self, reason: str, operation: str) -> LaneClosed:
        _REJECTED.labels(self.name, reason).inc()
        return LaneClosed(f"lane {self.name} {reason}: {operation}", vendor=self.name)


class _Limits:
    def __init__(self, concurrency: int, rate: int, period: int, queue: int, lease: int) -> None:
        self.concurrency = concurrency
        self.rate = rate
        self.period = period
        self.queue = queue
        self.lease = lease


class _SharedGate:
    """The limits as Redis counts them."""

    def __init__(self, redis: Redis, name: str, limits: _Limits) -> None:
        self._redis = redis
        self._limits = limits
        self._script = cast(Callable[..., Awaitable[int]], redis.register_script(_ENTER))
        # A crowd at the door must not open a connection each: on a busy host that alone looks like Redis being away.
        self._at_once = asyncio.Semaphore(_TALKING_TO_REDIS)
        self._keys = [f"lane:{{{name}}}:{part}" for part in ("running", "window", "customers", "background")]

    async def enter(self, token: str, priority: Priority) -> int:
        own = self._limits
        numbers = (own.concurrency, own.lease, own.rate, own.period, own.queue, _TICKET_MILLISECONDS)
        async with self._at_once:
            return int(await self._script(keys=self._keys, args=[token, priority, *numbers]))

    async def leave(self, token: str) -> None:
        async with self._at_once, self._redis.pipeline(transaction=False) as pipe:
            for key in (self._keys[0], *self._keys[2:]):
                pipe.zrem(key, token)
            await pipe.execute()


class _OwnGate:
    """The same limits for this process alone."""

    def __init__(self, limits: _Limits) -> None:
        self._limits = limits
        self._running: set[str] = set()
        self._window: deque[float] = deque()
        self._waiting: dict[str, Priority] = {}

    async def enter(self, token: str, priority: Priority) -> int:
        now = time.monotonic() * 1000
        own = self._limits
        while self._window and self._window[0] <= now - own.period:
            self._window.popleft()
        hint = int(self._window[0] + own.period - now) + 1 if len(self._window) >= own.rate else 0
        held_back = priority == "background" and "customer" in self._waiting.values()
        if hint == 0 and len(self._running) < own.concurrency and not held_back:
            self._running.add(token)
            self._window.append(now)
            self._waiting.pop(token, None)
            return _ENTERED
        if token not in self._waiting and len(self._waiting) >= own.queue:
            return _FULL
        self._waiting[token] = priority
        return hint

    async def leave(self, token: str) -> None:
        self._running.discard(token)
        self._waiting.pop(token, None)
