"""One way to talk to Redis: quick to give up, so that a hung server never hangs a page."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

# Under this key the listener says how it stands, and health checks read it.
LISTENER_STATUS_KEY = "listener:status"


def connect(url: str, *, seconds: float) -> Redis:
    """Return a client that gives up after so long and never retries by itself (callers decide what that means)."""
    return Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=30,
    )
