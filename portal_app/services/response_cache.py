"""Response cache: session, rate limit and cached body, looked up in one Redis call."""

import time
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from portal_app.domain.errors import PortalError
from portal_app.infra.redis.cache import NAME_FROM, Cache, Entry
from portal_app.infra.redis.rate_limit import RateLimits
from portal_app.infra.security.tokens import Access
from portal_app.services.identity.sessions import ENDED, Sessions

# The request is counted as the limiter counts it. 0: the session ended; false: the uncached path has to find out.
_NOT_CACHED = 1
_OWN = (
    NAME_FROM
    + """
local owner = redis.call('GET', KEYS[1])
if owner == ARGV[2] then return 0 end
if owner and owner ~= ARGV[1] then return false end
local now, most, seconds = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local first = redis.call('LINDEX', KEYS[2], most - 1)
if first and tonumber(first) >= now - seconds then return false end
redis.call('LPUSH', KEYS[2], ARGV[3])
redis.call('LTRIM', KEYS[2], 0, most - 1)
redis.call('EXPIRE', KEYS[2], seconds)
return redis.call('GET', 'c:' .. name_from(3)) or 1
"""
)


@dataclass(frozen=True, slots=True)
class CacheLookup:
    """A look-up: the body where it is cached, and whether the request has been counted against the limit.

    No body is no refusal: the caller goes the uncached path, which finds the reason.
    """

    body: bytes | None = None
    is_counted: bool = False


class ResponseCache:
    """Look up cached responses."""

    def __init__(self, cache: Cache, *, sessions: Sessions, limits: RateLimits, limit: str) -> None:
        self._cache = cache
        self._sessions = sessions
        self._limits = limits
        self._limit = limit

    async def for_customer(self, access: Access, entry: Entry) -> CacheLookup:
        """Return a customer's cached response where the session is live and its account's limit is not used up."""
        session_id, user_id = access.session_id, str(access.user_id)
        try:
            if await self._sessions.require_live(session_id) != access.user_id:
                return CacheLookup()
        except PortalError:
            # The uncached path meets the same error and reports it.
            return CacheLookup()
        window = self._limits.window(self._limit, "api", user_id)
        keys = [self._sessions.redis_key(session_id), window.key, *entry.keys]
        args = [user_id, ENDED, repr(time.time()), window.most, window.seconds]
        found = await self._ask(keys, args)
        if found == 0:
            # The message that says so may not have reached this process.
            self._sessions.forget_session(session_id)
        return CacheLookup(found, True) if isinstance(found, bytes) else CacheLookup(is_counted=found == _NOT_CACHED)

    async def for_everyone(self, entry: Entry) -> bytes | None:
        """Return a response that is the same for everyone, where it is cached."""
        found = await self._cache.peek_bytes(entry)
        if found is not None:
            self._cache.count_hit()
        return found

    async def _ask(self, keys: list[str], args: list[Any]) -> Any:
        if not self._cache.is_exact:
            return None
        try:
            found = await self._cache.scripts.run(_OWN, keys, args)
        except RedisError:
            # The uncached path knows what works without Redis.
            return None
        if isinstance(found, bytes):
            self._cache.count_hit()
        return found
