"""A cache over Redis: one computation at a time over all processes, tags to invalidate; optional at runtime.

A tag has a generation; the key of an entry contains the generations of its tags. To invalidate is to raise a
generation, so a computation that began before it writes under a name that is never read.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from portal_app.infra.metrics import counter
from portal_app.infra.redis.scripts import RedisScripts
from portal_app.infra.tasks.shielded import ShieldedTasks

_log = structlog.get_logger(__name__)
_READS = counter("portal_cache_reads", "Cache reads by outcome", ["outcome"])
_INVALIDATIONS = counter("portal_cache_invalidations", "Tags invalidated")
_LEASE_MS = 10_000
_CLOSING_SECONDS = 2.0
# One script: otherwise a caller could find no value, be overtaken by a whole computation, and then win the lease.
# The name of an entry holds the generations of its tags, which only the script knows in time.
NAME_FROM = """
local function name_from(first)
    local name = KEYS[first] .. ':'
    for i = first + 1, #KEYS do
        name = name .. (i > first + 1 and '.' or '') .. (redis.call('GET', KEYS[i]) or '0')
    end
    return name
end
"""
_VALUE_OR_LEASE = (
    NAME_FROM
    + """
local name = name_from(1)
local value = redis.call('GET', 'c:' .. name)
if value then return value end
if redis.call('SET', 'l:c:' .. name, ARGV[1], 'NX', 'PX', ARGV[2]) then return {name, 1} end
return {name, 0}
"""
)
_VALUE = NAME_FROM + "return redis.call('GET', 'c:' .. name_from(1))"
# Stores the value where there is one and releases the lease where it is still the caller's.
_STORE_AND_RELEASE = """
if ARGV[2] then redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
if redis.call('GET', 'l:' .. KEYS[1]) == ARGV[1] then redis.call('DEL', 'l:' .. KEYS[1]) end
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """Names a cached value: a key, which includes its owner, and the tags that make it stale."""

    key: str
    tags: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """The Redis keys that the scripts take."""
        return [self.key, *(f"g:{tag}" for tag in self.tags)]


@dataclass(frozen=True, slots=True)
class CachedBytes:
    """A computed value, and for how many seconds to store it: 0 not at all, None until a tag is invalidated."""

    text: bytes
    seconds: int | None


def count_stale() -> None:
    """Count a read that was answered from older data because its source is unavailable."""
    _READS.labels("stale").inc()


class Cache:
    """Store JSON values by key for a while. Errors of the computation are never stored."""

    def __init__(self, redis: Redis, *, away_seconds: float = 2.0) -> None:
        self._redis = redis
        self.scripts = RedisScripts(redis)
        self._computations = ShieldedTasks()
        self._away_seconds = away_seconds
        self._away_until = 0.0
        self._is_away = False
        self._pending_invalidations: set[str] = set()
        self._retry_task: asyncio.Task[None] | None = None

    async def get_or_set(
        self, key: str, compute: Callable[[], Awaitable[Any]], *, seconds: int | None, tags: Sequence[str] = ()
    ) -> Any:
        """Return the cached JSON value, or compute, store and return it. Callers of one key share one computation.

        Without `seconds` it is stored until one of its tags is invalidated.
        """

        async def compute_bytes() -> CachedBytes:
            return CachedBytes(json.dumps(await compute(), separators=(",", ":")).encode(), seconds)

        return json.loads(await self.get_or_set_bytes(Entry(key, tuple(tags)), compute_bytes))

    async def get_or_set_bytes(self, entry: Entry, compute: Callable[[], Awaitable[CachedBytes]]) -> bytes:
        """Return the cached bytes as they are, or compute them. A cancelled caller does not cancel the computation."""
        if self._computations.is_running(entry.key):
            _READS.labels("coalesced").inc()
        return await self._computations.run(partial(self._look_up, entry, compute), key=entry.key)

    @property
    def is_exact(self) -> bool:
        """Whether values of Redis are current: it is available and missed no invalidation."""
        return not self._pending_invalidations and time.monotonic() >= self._away_until

    @staticmethod
    def count_hit() -> None:
        """Count a value that was read together with other things."""
        _READS.labels("hit").inc()

    async def peek_bytes(self, entry: Entry) -> bytes | None:
        """Return the cached bytes, or None; computes nothing and waits for no computation."""
        if not self.is_exact:
            return None
        try:
            found: bytes | None = await self.scripts.run(_VALUE, entry.keys)
        except RedisError as error:
            self._mark_unavailable(error)
            return None
        return found

    async def peek(self, key: str, *, tags: Sequence[str] = ()) -> Any:
        """Return the cached JSON value, or None; computes nothing and waits for no computation."""
        found = await self.peek_bytes(Entry(key, tuple(tags)))
        return None if found is None else json.loads(found)

    async def put(self, key: str, value: Any, *, seconds: int) -> None:
        """Store a JSON value under a key without tags, over a former one; without Redis nothing is stored."""
        try:
            await self._redis.set(f"c:{key}:", json.dumps(value, separators=(",", ":")), ex=seconds)
        except RedisError as error:
            self._mark_unavailable(error)

    async def invalidate(self, *tags: str) -> None:
        """Make every entry with one of these tags stale, at once in every process, or once Redis is back."""
        _INVALIDATIONS.inc(len(tags))
        # A running computation may hold what is now stale: later callers start a new one.
        self._computations.release_keys()
        self._pending_invalidations.update(tags)
        try:
            await self._raise_generations()
        except RedisError as error:
            self._mark_unavailable(error)
            if self._retry_task is None or self._retry_task.done():
                self._retry_task = asyncio.create_task(self._deliver())

    async def close(self) -> None:
        """Let running computations end, cancel slow ones, and send the pending invalidations to Redis."""
        await self._computations.close(seconds=_CLOSING_SECONDS)
        if self._retry_task is not None:
            self._retry_task.cancel()
            await asyncio.wait([self._retry_task])
        with suppress(RedisError):
            await self._raise_generations()

    async def _raise_generations(self) -> None:
        tags, self._pending_invalidations = self._pending_invalidations, set()
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                for tag in tags:
                    pipe.incr(f"g:{tag}")
                await pipe.execute()
        except BaseException:
            self._pending_invalidations.update(tags)
            raise

    async def _deliver(self) -> None:
        # An invalidation that Redis missed would leave stale values until they expire.
        while self._pending_invalidations:
            await asyncio.sleep(self._away_seconds)
            try:
                await self._raise_generations()
            except RedisError as error:
                self._mark_unavailable(error)

    async def _look_up(self, entry: Entry, compute: Callable[[], Awaitable[CachedBytes]]) -> bytes:
        if time.monotonic() < self._away_until:
            _READS.labels("away").inc()
            return (await compute()).text
        lease = uuid.uuid4().hex
        try:
            if self._pending_invalidations:
                await self._raise_generations()
            found = await self._value_or_name(entry, lease)
            self._mark_available()
        except RedisError as error:
            self._mark_unavailable(error)
            _READS.labels("away").inc()
            return (await compute()).text
        if isinstance(found, bytes):
            return found
        _READS.labels("miss").inc()
        return await self._compute(found, lease, compute)

    async def _value_or_name(self, entry: Entry, lease: str) -> bytes | str:
        """Return the value, or the entry's name: the caller holds the lease, or waited for it long enough."""
        outcome, give_up = "hit", time.monotonic() + _LEASE_MS / 1000
        while True:
            found = await self.scripts.run(_VALUE_OR_LEASE, entry.keys, [lease, _LEASE_MS])
            if isinstance(found, bytes):
                _READS.labels(outcome).inc()
                return found
            name, has_lease = found
            if has_lease or time.monotonic() > give_up:
                return str(name.decode())
            outcome = "coalesced"
            await asyncio.sleep(0.02)

    async def _compute(self, name: str, lease: str, compute: Callable[[], Awaitable[CachedBytes]]) -> bytes:
        computed: CachedBytes | None = None
        try:
            computed = await compute()
            return computed.text
        finally:
            try:
                if computed is not None and computed.seconds is None:
                    await self._store_until_invalidated(f"c:{name}", computed.text)
                value = (computed.text, computed.seconds) if computed is not None and computed.seconds else ()
                await self.scripts.run(_STORE_AND_RELEASE, [f"c:{name}"], [lease, *value])
            except RedisError as error:
                self._mark_unavailable(error)

    async def _store_until_invalidated(self, name: str, value: bytes) -> None:
        # Nothing else would ever remove the values of earlier generations.
        former = await self._redis.set(f"last:{name.rpartition(':')[0]}", name, get=True)
        if former and former.decode() != name:
            await self._redis.unlink(former.decode())
        await self._redis.set(name, value)

    def _mark_unavailable(self, error: RedisError) -> None:
        self._away_until = time.monotonic() + self._away_seconds
        if not self._is_away:
            self._is_away = True
            _log.warning("cache.unavailable", error=type(error).__name__)

    def _mark_available(self) -> None:
        if self._is_away:
            self._is_away = False
            _log.info("cache.available")
