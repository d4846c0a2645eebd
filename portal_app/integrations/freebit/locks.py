"""Locks of a line, for all processes: Freebit takes half an hour to change one, and nothing may come between."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from uuid import uuid4

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from portal_app.domain.errors import ExternalUnavailable, LineLocked, OutcomeUnknown, PortalError
from portal_app.infra.security.encryption import KeyRing
from portal_app.integrations.freebit.codes import VENDOR

_log = structlog.get_logger(__name__)
# In one script, so that two processes cannot both find the line free. Returns the milliseconds to wait, or 0: taken.
_TAKE = """
local blockers, token, wait = tonumber(ARGV[1]), ARGV[2], 0
for index = 1, blockers do wait = math.max(wait, redis.call('PTTL', KEYS[index])) end
if wait > 0 then return wait end
for index = blockers + 1, #KEYS do redis.call('SET', KEYS[index], token, 'PX', ARGV[index - blockers + 2]) end
return 0
"""
_RELEASE = """
for _, key in ipairs(KEYS) do if redis.call('GET', key) == ARGV[1] then redis.call('DEL', key) end end
"""


@dataclass(frozen=True, slots=True)
class Change:
    """What a change waits for, and for how many seconds it holds which locks."""

    waits_for: tuple[str, ...]
    holds: dict[str, int]


class LineLocks:
    """Lock lines in Redis under a keyed hash of their number: no key shows whose line it is."""

    def __init__(self, redis: Redis, ring: KeyRing) -> None:
        self._ring = ring
        self._redis = redis
        self._take = cast(Callable[..., Awaitable[int]], redis.register_script(_TAKE))
        self._release = cast(Callable[..., Awaitable[None]], redis.register_script(_RELEASE))

    @asynccontextmanager
    async def held(self, account: str, change: Change) -> AsyncIterator[None]:
        """Hold the change's locks; they stay when it was accepted or its outcome is unknown.

        Raises LineLocked with the seconds to wait, and ExternalUnavailable while Redis is away: without the locks
        nothing is sent.
        """
        own, token = self._keys(account, change.holds), uuid4().hex
        await self._lock(self._keys(account, change.waits_for), own, change, token)
        try:
            yield
        except OutcomeUnknown:
            raise
        except PortalError:
            await self._unlock(own, token)
            raise

    async def release(self, account: str, names: Iterable[str]) -> None:
        """Release locks, whichever change holds them. While Redis is away they stay until they end by themselves."""
        try:
            await self._redis.delete(*self._keys(account, names))
        except (RedisError, OSError) as error:
            _log.warning("freebit.lock_stays", error=type(error).__name__)

    def _keys(self, account: str, names: Iterable[str]) -> list[str]:
        line = self._ring.index(account, "freebit.line").hex()
        return [f"freebit:lock:{{{line}}}:{name}" for name in names]

    async def _lock(self, blockers: list[str], own: list[str], change: Change, token: str) -> None:
        times = [seconds * 1000 for seconds in change.holds.values()]
        try:
            wait = int(await self._take(keys=[*blockers, *own], args=[len(blockers), token, *times]))
        except (RedisError, OSError) as error:
            raise ExternalUnavailable(f"locks: {type(error).__name__}", vendor=VENDOR) from error
        if wait:
            raise LineLocked(-(-wait // 1000))

    async def _unlock(self, own: list[str], token: str) -> None:
        try:
            await self._release(keys=own, args=[token])
        except (RedisError, OSError) as error:
            _log.warning("freebit.lock_stays", error=type(error).__name__)  # until it ends by itself
