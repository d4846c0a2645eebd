"""Connects to Redis with short timeouts: a hung server never hangs a page."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

# The listener writes its status under this key; health checks read it.
LISTENER_STATUS_KEY = "listener:status"


def connect(url: str, *, seconds: float) -> Redis:
    """Return a client with these timeouts that never retries by itself: each caller decides what an error means."""
    return Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=30,
    )
