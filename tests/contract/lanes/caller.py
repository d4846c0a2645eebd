"""A process that calls a vendor through a lane as often as it may: `python -m tests.contract.lanes.caller`."""

import asyncio
import sys
from contextlib import suppress
from typing import Any

from portal_app.infra.redis.client import connect
from portal_app.integrations.throttling.limiter import Lane

CALLERS = 4
LIMITS: dict[str, Any] = {"concurrency": 2, "rate": "10/second", "queue": 50, "timeout": 30.0}


class BriefLane(Lane):
    """A lane whose leases and patience are short."""

    lease_seconds = 0.4
    without_redis_seconds = 0.2


class CallersLane(BriefLane):
    """A lane whose leases outlast what a busy machine makes a process wait that nobody has stopped."""

    lease_seconds = 2.0


class LastingLane(Lane):
    """A lane whose leases outlast a test."""

    lease_seconds = 60.0


async def call_until_told(redis_url: str, port: int, kind: type[Lane]) -> None:
    """Call until the vendor hangs up."""
    redis = connect(redis_url, seconds=0.25)
    lane = kind(redis, "vendor", **LIMITS)

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = b"ok\n"
        # Who hangs up may do so before it has read everything.
        with suppress(ConnectionError):
            while answer:
                async with lane.slot("call"):
                    writer.write(b"call\n")
                    answer = await reader.readline()
        writer.close()

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    await lane.close()
    await redis.aclose()


if __name__ == "__main__":
    kinds = {kind.__name__: kind for kind in (CallersLane, LastingLane)}
    asyncio.run(call_until_told(sys.argv[1], int(sys.argv[2]), kinds[sys.argv[3]]))
