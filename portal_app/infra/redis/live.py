"""Live updates: a change of a customer's data is published, and web processes refresh the open pages."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.tags import customer_tag

_CHANNEL = "portal:live"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """Something of a customer changed. `topic` is what pages subscribe to: orders, invoices, session..."""

    user_id: UUID
    topic: str
    id: str = ""


class LiveUpdates:
    """Publish and receive changes over Redis; a lost message costs a reload, never data."""

    def __init__(self, redis: Redis, cache: Cache) -> None:
        self._redis = redis
        self._cache = cache

    async def publish(self, change: Change) -> None:
        """Invalidate the customer's cached answers, then tell every web process. An absent Redis is no error."""
        await self._cache.invalidate(customer_tag(change.user_id))
        body = json.dumps({"user": str(change.user_id), "topic": change.topic, "id": change.id})
        try:
            await self._redis.publish(_CHANNEL, body)
        except RedisError as error:
            _log.warning("live.not_published", topic=change.topic, error=type(error).__name__)

    async def changes(self) -> AsyncIterator[Change]:
        """Yield changes for ever; reconnect when Redis is back."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(_CHANNEL)
                    while True:
                        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=0.2)
                        if message is not None:
                            body = json.loads(message["data"])
                            yield Change(UUID(body["user"]), body["topic"], body["id"])
            except (RedisError, OSError):
                await asyncio.sleep(1)
