"""The circuit breaker of a vendor: after failures in a row no process calls it for a while, then one call probes it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal
from uuid import uuid4

import structlog
from redis.asyncio import Redis

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.redis.scripts import RedisScripts
from portal_app.integrations.throttling.local_breaker import BreakerTimes, LocalBreaker
from portal_app.integrations.throttling.redis_health import RedisHealth

# The caller waits for a pause that the vendor requests up to here; a longer one opens the breaker for all processes.
LONGEST_PAUSE = 5.0
# The breaker of a vendor without failures is not read before every call.
_TRUSTED_SECONDS = 1.0
# Who caused a failed call: nobody (the vendor answered), this process alone (its credentials), or the vendor.
Fault = Literal["none", "process", "vendor"]

_log = structlog.get_logger(__name__)

_PRELUDE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'open_until', 'probe', 'probe_until')
local open_until, probe, probe_until = tonumber(known[1]), known[2], tonumber(known[3])
"""
# Answers 0 without a recorded failure, 1 where the call may start, else the negative milliseconds to wait.
_ENTER = (
    _PRELUDE
    + """
if not open_until then return redis.call('EXISTS', KEYS[1]) end
if now < open_until then return now - open_until end
if probe and probe ~= ARGV[1] and now < probe_until then return now - probe_until end
redis.call('HSET', KEYS[1], 'probe', ARGV[1], 'probe_until', now + ARGV[2])
return 1
"""
)
_FAILED = (
    _PRELUDE
    + """
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
redis.call('PEXPIRE', KEYS[1], 604800000)
local asked = tonumber(ARGV[4])
if probe == ARGV[1] or (not open_until and failures >= tonumber(ARGV[2])) or asked > 0 then
    redis.call('HSET', KEYS[1], 'open_until', now + math.max(tonumber(ARGV[3]), asked))
    redis.call('HDEL', KEYS[1], 'probe', 'probe_until')
end
"""
)
_ANSWERED = """
local was_down = redis.call('HEXISTS', KEYS[1], 'down')
redis.call('DEL', KEYS[1])
return was_down
"""
_WITHDRAWN = "if redis.call('HGET', KEYS[1], 'probe') == ARGV[1] then redis.call('HDEL', KEYS[1], 'probe') end"
_DOWN = "redis.call('PEXPIRE', KEYS[1], 604800000) return redis.call('HSETNX', KEYS[1], 'down', 1)"
_HAS_NO_FAILURE = "return 1 - redis.call('EXISTS', KEYS[1])"
_OPEN_FOR = _PRELUDE + "return {open_until and math.max(open_until - now, 0) or 0, open_until and 1 or 0}"


class BreakerOpen(ExternalUnavailable):
    """The vendor failed too often a moment ago, or asked to be left alone; this call was not sent."""


class Breaker:
    """Counts failures in a row over all processes; while Redis is away each process counts for itself.

    `fault_of` classifies the error of a call. What only this process causes opens only its own breaker.
    """

    def __init__(
        self,
        redis: Redis,
        vendor: str,
        health: RedisHealth,
        *,
        fault_of: Callable[[BaseException], Fault],
        times: BreakerTimes,
    ) -> None:
        self._vendor = vendor
        self._health = health
        self._fault_of = fault_of
        self._times = times
        self._key = f"breaker:{{{vendor}}}"
        self._scripts = RedisScripts(redis)
        # Instead of Redis while it is away.
        self._local = LocalBreaker(times)
        # In addition to Redis: wrong credentials of this process say nothing about the vendor.
        self._own = LocalBreaker(times)
        self._trusted_until = 0.0

    async def state(self) -> str:
        """Return closed, open or half-open, as this process sees it."""
        open_for, has_opened = await self._open_for()
        return "open" if open_for else "half-open" if has_opened else "closed"

    async def has_no_failure(self) -> bool:
        """Return whether no call has failed since the last that was answered."""
        answer = await self._run(_HAS_NO_FAILURE)
        return self._own.has_no_failure and (self._local.has_no_failure if answer is None else bool(answer))

    async def refuse_if_open(self) -> None:
        """Raise BreakerOpen now rather than after a wait for a slot."""
        if self._is_trusted() and self._own.has_no_failure:
            return
        if open_for := (await self._open_for())[0]:
            raise self._refusal(open_for)

    @asynccontextmanager
    async def observe_call(self, seconds: float) -> AsyncIterator[None]:
        """Let a call of at most so many seconds through and record how it ends. Raises BreakerOpen."""
        token = uuid4().hex
        await self._enter(token, seconds)
        try:
            yield
        except Exception as error:
            await asyncio.shield(self._record(token, error, self._fault_of(error)))
            raise
        except BaseException:
            await asyncio.shield(self._withdraw(token))
            raise
        await asyncio.shield(self._answered())

    async def record_outage(self, operation: str, error: Exception) -> None:
        """Log the begin of an outage: once for all processes, or once for this one where it is the cause."""
        fault = self._fault_of(error)
        if fault == "none":
            return
        answer = await self._run(_DOWN) if fault == "vendor" else None
        own = self._local if fault == "vendor" else self._own
        if own.note_down() if answer is None else answer:
            # Credentials that a vendor refuses need a person; an outage ends by itself.
            write = _log.error if fault == "process" else _log.warning
            write("vendor.outage_began", vendor=self._vendor, operation=operation, reason=str(error))

    async def _enter(self, token: str, seconds: float) -> None:
        verdict = self._own.enter(token, seconds)
        if verdict > 0 and not self._is_trusted():
            answer = await self._run(_ENTER, token, int(seconds * 1000))
            verdict = self._local.enter(token, seconds) if answer is None else int(answer)
            if verdict == 0:
                self._trusted_until = time.monotonic() + _TRUSTED_SECONDS
        if verdict < 0:
            self._own.withdraw(token)
            raise self._refusal(-verdict)

    async def _record(self, token: str, error: Exception, fault: Fault) -> None:
        asked = min(vars(error).get("retry_after") or 0, self._times.longest_open)
        asked = asked if asked > LONGEST_PAUSE else 0
        if fault == "none":
            await self._answered()
        elif fault == "process":
            self._own.failed(token, asked)
            await self._withdraw(token)
        else:
            self._own.withdraw(token)
            self._trusted_until = 0.0
            # Also here, so that this process knows it when Redis goes away meanwhile.
            self._local.failed(token, asked)
            numbers = (self._times.failures, int(self._times.open * 1000), int(asked * 1000))
            await self._run(_FAILED, token, *numbers)

    async def _answered(self) -> None:
        was_down = any([self._own.answered(), self._local.answered()])
        if not self._is_trusted():
            was_down = bool(await self._run(_ANSWERED)) or was_down
        if was_down:
            _log.info("vendor.outage_ended", vendor=self._vendor)

    async def _withdraw(self, token: str) -> None:
        self._own.withdraw(token)
        self._local.withdraw(token)
        if not self._is_trusted():
            await self._run(_WITHDRAWN, token)

    async def _open_for(self) -> tuple[int, bool]:
        """Return for how many milliseconds the breaker is open yet, and whether it has opened."""
        answer = await self._run(_OPEN_FOR)
        shared = self._local.open_for() if answer is None else (int(answer[0]), bool(answer[1]))
        return max(shared, self._own.open_for())

    def _is_trusted(self) -> bool:
        return time.monotonic() < self._trusted_until

    def _refusal(self, milliseconds: int) -> BreakerOpen:
        error = BreakerOpen(f"{self._vendor}: breaker open", vendor=self._vendor)
        error.retry_after = math.ceil(milliseconds / 1000)
        return error

    async def _run(self, script: str, *args: str | int) -> Any:
        """Return the answer of Redis, None while it is away."""
        return await self._health.ask(lambda: self._scripts.run(script, [self._key], args))
