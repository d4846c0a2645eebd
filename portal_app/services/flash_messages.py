"""Flash messages: stored for five minutes under a random id, which the address of the next page carries."""

import json
import re
import secrets

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from portal_app.domain.errors import RateLimited
from portal_app.infra.redis.rate_limit import LocalLimits

_SECONDS = 300
_ID = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_log = structlog.get_logger(__name__)


class FlashMessages:
    """Stores the messages of a form until its page shows them."""

    def __init__(self, redis: Redis, *, limit: str) -> None:
        self._redis = redis
        self._limit = limit
        self._limits = LocalLimits()

    async def store(self, messages: dict[str, str], *, network: str) -> str:
        """Store messages by field name and return their id; empty while Redis is unavailable.

        Raises RateLimited per network: anyone can have a form refused at will.
        """
        if seconds := self._limits.seconds_left(self._limit, network):
            raise RateLimited(seconds)
        flash_id = secrets.token_urlsafe(16)
        try:
            await self._redis.set(f"flash:{flash_id}", json.dumps(messages), ex=_SECONDS)
        except (RedisError, OSError) as error:
            _log.warning("flashes.redis_away", error=type(error).__name__)
            return ""
        return flash_id

    async def read(self, flash_id: str) -> dict[str, str]:
        """Return the messages of an id, again on a reload; empty for what is malformed, unknown or out of reach."""
        if not _ID.fullmatch(flash_id):
            return {}
        try:
            kept = await self._redis.get(f"flash:{flash_id}")
        except (RedisError, OSError) as error:
            _log.warning("flashes.redis_away", error=type(error).__name__)
            return {}
        return {str(name): str(text) for name, text in json.loads(kept).items()} if kept else {}
