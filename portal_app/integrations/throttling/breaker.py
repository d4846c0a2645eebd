"""The breaker of a vendor: after failures in a row nobody calls for a while, then one call tries for all processes."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

import structlog
from redis.asyncio import Redis

from portal_app.domain.errors import ExternalUnavailable
from portal_app.integrations.throttling.redis_health import AWAY, RedisHealth

# A pause that a vendor asks for is waited for by its caller up to here; a longer one opens the breaker for all.
LONGEST_PAUSE = 5.0
# A vendor that was well a moment ago is not asked about before every call.
_TRUSTED_SECONDS = 1.0

_log = structlog.get_logger(__name__)
_Script = Callable[..., Awaitable[Any]]

_PRELUDE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'open_until', 'probe', 'probe_until')
local open_until, probe, probe_until = tonumber(known[1]), known[2], tonumber(known[3])
"""
# Answers 0 for a vendor without a stain, 1 for one to be called, else the negative milliseconds to stay away.
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
_WELL = """
local was_down = redis.call('HEXISTS', KEYS[1], 'down')
redis.call('DEL', KEYS[1])
return was_down
"""
_WITHDRAWN = "if redis.call('HGET', KEYS[1], 'probe') == ARGV[1] then redis.call('HDEL', KEYS[1], 'probe') end"
_DOWN = "redis.call('PEXPIRE', KEYS[1], 604800000) return redis.call('HSETNX', KEYS[1], 'down', 1)"
_SPOTLESS = "return 1 - redis.call('EXISTS', KEYS[1])"
_LOOK = _PRELUDE + "return {open_until and math.max(open_until - now, 0) or 0, open_until and 1 or 0}"


@dataclass(frozen=True, slots=True)
class BreakerTimes:
    """After how many failures in a row to stay away, for how many seconds, and at most how long when asked to."""

    failures: int = 5
    open: float = 10.0
    longest_open: float = 300.0


class BreakerOpen(ExternalUnavailable):
    """The vendor failed too often a moment ago, or asked to be left alone; this call was not sent."""


class Breaker:
    """Count failures in a row over all processes; while Redis is away each process counts for itself.

    `is_failure` tells whether an error is the vendor's fault; any other ending proves that the vendor answers.
    """

    def __init__(
        self,
        redis: Redis,
        vendor: str,
        reach: RedisHealth,
        *,
        is_failure: Callable[[BaseException], bool],
        times: BreakerTimes,
    ) -> None:
        self._vendor = vendor
        self._reach = reach
        self._is_failure = is_failure
        self._times = times
        self._key = f"breaker:{{{vendor}}}"
        scripts = (_ENTER, _FAILED, _WELL, _WITHDRAWN, _DOWN, _LOOK, _SPOTLESS)
        self._scripts = {script: cast(_Script, redis.register_script(script)) for script in scripts}
        self._own = _OwnBreaker(times)
        self._trusted_until = 0.0

    async def state(self) -> str:
        """Return closed, open or half-open."""
        open_for, has_opened = await self._look()
        return "open" if open_for else "half-open" if has_opened else "closed"

    async def is_spotless(self) -> bool:
        """Say whether no call has failed since the last that was answered."""
        told = await self._ask(_SPOTLESS)
        return self._own.is_spotless if told is None else bool(told)

    async def refuse_if_open(self) -> None:
        """Raise BreakerOpen now rather than after a wait for a turn."""
        if time.monotonic() >= self._trusted_until and (open_for := (await self._look())[0]):
            raise self._refusal(open_for)

    @asynccontextmanager
    async def watch(self, seconds: float) -> AsyncIterator[None]:
        """Let a call of at most so many seconds through and learn from how it ends. Raises BreakerOpen."""
        token = uuid4().hex
        await self._enter(token, seconds)
        try:
            yield
        except Exception as error:
            if self._is_failure(error):
                await asyncio.shield(self._failed(token, error))
            else:
                await asyncio.shield(self._well())
            raise
        except BaseException:
            await asyncio.shield(self._withdraw(token))
            raise
        await asyncio.shield(self._well())

    async def note_outage(self, operation: str, error: Exception) -> None:
        """Say that the vendor is away: one log line for all processes."""
        told = await self._ask(_DOWN)
        if self._own.note_down() if told is None else told:
            _log.warning("vendor.outage_began", vendor=self._vendor, operation=operation, reason=str(error))

    async def _enter(self, token: str, seconds: float) -> None:
        if time.monotonic() < self._trusted_until:
            return
        answer = await self._ask(_ENTER, token, int(seconds * 1000))
        verdict = self._own.enter(token, seconds) if answer is None else int(answer)
        if verdict < 0:
            raise self._refusal(-verdict)
        if verdict == 0:
            self._trusted_until = time.monotonic() + _TRUSTED_SECONDS

    async def _failed(self, token: str, error: Exception) -> None:
        self._trusted_until = 0.0
        asked = min(vars(error).get("retry_after") or 0, self._times.longest_open)
        asked = asked if asked > LONGEST_PAUSE else 0
        told = await self._ask(_FAILED, token, self._times.failures, int(self._times.open * 1000), int(asked * 1000))
        if told is None:
            self._own.failed(token, asked)

    async def _well(self) -> None:
        was_down = self._own.well()
        if time.monotonic() >= self._trusted_until:
            was_down = bool(await self._ask(_WELL)) or was_down
        if was_down:
            _log.info("vendor.outage_ended", vendor=self._vendor)

    async def _withdraw(self, token: str) -> None:
        self._own.withdraw(token)
        if time.monotonic() >= self._trusted_until:
            await self._ask(_WITHDRAWN, token)

    async def _look(self) -> tuple[int, bool]:
        told = await self._ask(_LOOK)
        return self._own.look() if told is None else (int(told[0]), bool(told[1]))

    def _refusal(self, milliseconds: int) -> BreakerOpen:
        error = BreakerOpen(f"{self._vendor}: breaker open", vendor=self._vendor)
        error.retry_after = math.ceil(milliseconds / 1000)
        return error

    async def _ask(self, script: str, *values: str | int) -> Any:
        """Return what Redis says, None while it is away."""
        if not self._reach.is_worth_a_try():
            return None
        try:
            answer = await self._scripts[script](keys=[self._key], args=list(values))
        except AWAY as error:
            self._reach.failed(error)
            return None
        self._reach.answered()
        return answer


class _OwnBreaker:
    """The same for this process alone."""

    def __init__(self, times: BreakerTimes) -> None:
        self._times = times
        self._failures = 0
        self._open_until: float | None = None
        self._probe, self._probe_until = "", 0.0
        self._is_down = False

    @property
    def is_spotless(self) -> bool:
        return not self._failures and not self._is_down

    def look(self) -> tuple[int, bool]:
        if self._open_until is None:
            return 0, False
        return max(0, math.ceil((self._open_until - time.monotonic()) * 1000)), True

    def enter(self, token: str, seconds: float) -> int:
        now = time.monotonic()
        if self._open_until is None:
            return 1
        busy_until = max(self._open_until, self._probe_until if self._probe not in ("", token) else 0.0)
        if now < busy_until:
            return -max(1, int((busy_until - now) * 1000))
        self._probe, self._probe_until = token, now + seconds
        return 1

    def failed(self, token: str, asked: float) -> None:
        self._failures += 1
        is_enough = self._open_until is None and self._failures >= self._times.failures
        if token == self._probe or is_enough or asked:
            self._open_until = time.monotonic() + max(self._times.open, asked)
            self._probe = ""

    def well(self) -> bool:
        was_down = self._is_down
        self._failures, self._open_until, self._probe, self._is_down = 0, None, "", False
        return was_down

    def withdraw(self, token: str) -> None:
        self._probe = "" if token == self._probe else self._probe

    def note_down(self) -> bool:
        was_down, self._is_down = self._is_down, True
        return not was_down
