"""Connects to Redis so that a hung server never hangs a page, and a subscription that fell silent is replaced."""

import asyncio
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError

# The listener writes its status under this key; health checks read it.
LISTENER_STATUS_KEY = "listener:status"
_SILENCE_SECONDS = 10.0
# How often a subscription that blocks looks at the time.
_STEP_SECONDS = 1.0


class WatchedSubscription(PubSub):
    """A subscription that asks for a sign of life after half of `silence`, and breaks off when none comes in the rest.

    redis-py sends such a question too, but waits for its answer without end.
    """

    def __init__(self, *args: Any, silence: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self._half = silence / 2
        self._connection: Any = None
        self._since = 0.0

    async def parse_response(self, block: bool = True, timeout: float = 0) -> Any:
        """Return the next answer, None where none came in time. Raises redis-py's ConnectionError after the silence."""
        connection: Any = self.connection
        now = asyncio.get_running_loop().time
        if connection is not None:
            connection.health_check_interval = self._half
            if connection is not self._connection:
                self._connection, self._since = connection, now()
        step = min(_STEP_SECONDS, self._half) if block else timeout
        response = await super().parse_response(block=False, timeout=step)
        if response is None and now() > max(self._since + self._half, connection.next_health_check) + self._half:
            await connection.disconnect(nowait=True)
            raise ConnectionLost("no sign of life from Redis")
        return response


class WatchedRedis(Redis):
    """A client whose subscriptions are watched."""

    silence_seconds = _SILENCE_SECONDS

    def pubsub(self, **options: Any) -> PubSub:
        """Return a subscription that ends with an error when the connection falls silent."""
        return WatchedSubscription(self.connection_pool, silence=self.silence_seconds, **options)


def connect(url: str, *, seconds: float, silence: float = _SILENCE_SECONDS) -> WatchedRedis:
    """Return a client with these timeouts that never retries by itself: each caller decides what an error means."""
    return _watched(
        silence,
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=30,
    )


def connect_for_pages(url: str, *, silence: float) -> WatchedRedis:
    """Return a client for Reflex's state of open pages: as Reflex makes its own, but with deadlines."""
    return _watched(silence, with_timeouts(url, silence / 2), retry_on_error=[RedisError])


def with_timeouts(url: str, seconds: float) -> str:
    """Return an address whose clients wait so long for a connection and for an answer."""
    return f"{url}{'&' if '?' in url else '?'}socket_timeout={seconds}&socket_connect_timeout={seconds}"


def _watched(silence: float, url: str, **options: Any) -> WatchedRedis:
    client = cast("WatchedRedis", WatchedRedis.from_url(url, **options))
    client.silence_seconds = silence
    return client
