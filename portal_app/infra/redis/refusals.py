"""Whether Redis takes a write, and its refusals in an operator's words."""

from collections.abc import Awaitable
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

_PROBE_KEY, _PROBE_SECONDS = "ready:probe", 60
# Redis's own words for a write that it refuses, by their first; the rest of its answer stays in the log.
_REFUSALS = {
    "OOM": "Redis is full and takes no writes: raise maxmemory, or set maxmemory-policy to volatile-lru",
    "READONLY": "Redis is a read-only replica: REDIS_URL must lead to the primary",
    "NOREPLICAS": "Redis takes no writes: too few replicas are connected",
    "MISCONF": "Redis takes no writes: it cannot save to its disk",
    "NOPERM": "Redis does not let this user write",
    "WRONGPASS": "Redis refuses the password",
    "NOAUTH": "Redis asks for a password",
}


async def write_probe(redis: Redis) -> None:
    """Write a key of a minute. Raises RedisError or OSError."""
    await cast(Awaitable[Any], redis.set(_PROBE_KEY, b"", ex=_PROBE_SECONDS))


def refusal_of(error: Exception) -> str:
    """Return what an operator reads of an error of Redis."""
    # The library takes the code off the text where it has a class for it.
    code = getattr(error, "status_code", None) or str(error).partition(" ")[0]
    return _REFUSALS.get(
        code, "Redis refuses to write" if isinstance(error, ResponseError) else "Redis does not answer"
    )
