"""A process that calls a vendor as often as its limiter allows: `python -m tests.contract.throttling.caller`."""

import asyncio
import sys
from contextlib import suppress

from portal_app.infra.redis.client import connect
from portal_app.integrations.throttling.call_limits import CallLimits
from portal_app.integrations.throttling.limiter import VendorLimiter

CALLERS = 4
LIMITS = CallLimits(concurrency=2, rate="10/second", queue=50, timeout=30.0)


async def call_until_hang_up(redis_url: str, port: int) -> None:
    """Call until the vendor hangs up."""
    redis = connect(redis_url, seconds=0.25)
    limiter = VendorLimiter(redis, "vendor", LIMITS)

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = b"ok\n"
        # The vendor may hang up before it has read everything.
        with suppress(ConnectionError):
            while answer:
                async with limiter.slot("call"):
                    writer.write(b"call\n")
                    answer = await reader.readline()
        writer.close()

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    await limiter.close()
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(call_until_hang_up(sys.argv[1], int(sys.argv[2])))
