"""Live updates: a change of a customer's data is published, and web processes refresh the open pages."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.client import WatchedRedis
from portal_app.infra.redis.tags import customer_tag

# Whose change concerns every customer, such as an announcement.
EVERYBODY, INCIDENTS = UUID(int=0), "incidents"
_CHANNEL = "portal:live"
# What was published last: for a process whose subscription was lost meanwhile.
_RECENT, _MOST_RECENT, _RECENT_SECONDS = "portal:live:recent", 5_000, 600
_MARGIN_SECONDS = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """Something of a customer, or of EVERYBODY, changed. `topic` is what pages subscribe to: orders, session..."""

    user_id: UUID
    topic: str
    id: str = ""


class LiveUpdates:
    """Publish and receive changes over Redis; a lost message costs a reload, never data."""

    def __init__(self, redis: WatchedRedis, cache: Cache) -> None:
        self._redis = redis
        self._cache = cache
        self._silence = redis.silence_seconds

    async def publish(self, change: Change) -> None:
        """Invalidate the customer's cached answers, then tell every web process. An absent Redis is no error."""
        await self._cache.invalidate(customer_tag(change.user_id))
        body = json.dumps({"user": str(change.user_id), "topic": change.topic, "id": change.id})
        try:
            async with self._redis.pipeline(transaction=False) as batch:
                batch.publish(_CHANNEL, body)
                batch.xadd(_RECENT, {"body": body}, maxlen=_MOST_RECENT)
                batch.expire(_RECENT, _RECENT_SECONDS)
                await batch.execute()
        except RedisError as error:
            _log.warning("live.not_published", topic=change.topic, error=type(error).__name__)

    async def changes(self) -> AsyncIterator[Change]:
        """Yield changes for ever; reconnect when Redis is back.

        After a reconnection, changes that were published meanwhile come first; some may come for the second time.
        """
        alive_at: float | None = None
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(_CHANNEL)
                    while not _is_confirmation(await pubsub.get_message(timeout=0.2)):
                        pass
                    if alive_at is not None:
                        for change in await self._published_in_the_last(time.monotonic() - alive_at):
                            yield change
                    while True:
                        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=0.2)
                        alive_at = time.monotonic()
                        if message is not None:
                            yield _change(message["data"])
            except (RedisError, OSError):
                await asyncio.sleep(1)

    async def _published_in_the_last(self, seconds: float) -> list[Change]:
        # An open line may have been silent for a while before that was noticed.
        missed = seconds + self._silence + _MARGIN_SECONDS
        now_seconds, _ = await self._redis.time()
        entries = await self._redis.xrange(_RECENT, min=max(0, int((now_seconds - missed) * 1000)))
        return [_change(fields[b"body"]) for _, fields in entries]


def _is_confirmation(message: dict[str, object] | None) -> bool:
    return message is not None and message["type"] == "subscribe"


def _change(text: bytes) -> Change:
    body = json.loads(text)
    return Change(UUID(body["user"]), body["topic"], body["id"])
