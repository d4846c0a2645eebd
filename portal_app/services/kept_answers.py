"""Answers that are kept as bytes, with all they need asked in one go: the session, its limit, the value."""

import time
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from portal_app.infra.cache import NAME_FROM, Cache, Entry
from portal_app.infra.rate_limit import RateLimits
from portal_app.infra.tokens import Access
from portal_app.services.sessions import ENDED, Sessions

# The try is counted as the limiter counts it, and only where it is answered: what goes the long way is counted there.
_OWN = (
    NAME_FROM
    + """
local owner = redis.call('GET', KEYS[1])
if owner == ARGV[2] then return 0 end
if owner ~= ARGV[1] and (owner or ARGV[3] ~= '1') then return false end
local kept = redis.call('GET', 'c:' .. name_from(3))
if not kept then return false end
local now, most, seconds = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local first = redis.call('LINDEX', KEYS[2], most - 1)
if first and tonumber(first) >= now - seconds then return false end
redis.call('LPUSH', KEYS[2], ARGV[4])
redis.call('LTRIM', KEYS[2], 0, most - 1)
redis.call('EXPIRE', KEYS[2], seconds)
return kept
"""
)


class KeptAnswers:
    """Look kept answers up. None never says no: it sends the caller the long way, which knows why."""

    def __init__(self, redis: Redis, cache: Cache, *, sessions: Sessions, limits: RateLimits, limit: str) -> None:
        self._redis = redis
        self._cache = cache
        self._sessions = sessions
        self._limits = limits
        self._limit = limit
        self._own = redis.register_script(_OWN)

    async def own(self, access: Access, entry: Entry) -> bytes | None:
        """Return a customer's answer where the session lives, its limit is not used up, and the answer is young."""
        session_id, user_id = access.session_id, str(access.user_id)
        window = self._limits.window(self._limit, "api", str(session_id))
        keys = [self._sessions.key_of(session_id), window.key, *entry.keys]
        is_remembered = int(self._sessions.is_remembered(session_id, access.user_id))
        args = [user_id, ENDED, is_remembered, repr(time.time()), window.most, window.seconds]
        found = await self._ask(keys, args)
        if found == 0:
            # The push that says so may not have come here, or not yet.
            self._sessions.forget(session_id)
        return found if isinstance(found, bytes) else None

    async def public(self, entry: Entry) -> bytes | None:
        """Return an answer that is everybody's, where it is young."""
        found = await self._cache.kept(entry)
        if found is not None:
            self._cache.count_hit()
        return found

    async def _ask(self, keys: list[str], args: list[Any]) -> Any:
        if not self._cache.is_exact:
            return None
        try:
            found = await self._own(keys=keys, args=args)
        except RedisError:
            # The long way meets the same trouble, tells it once, and knows what goes on without Redis.
            return None
        if isinstance(found, bytes):
            self._cache.count_hit()
        return found
