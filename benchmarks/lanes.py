"""Vendor limiters: what one costs each call, and whether two processes ever exceed its rate, as the vendor sees it."""

import asyncio
import subprocess
import sys
import time
from statistics import median

from benchmarks.stage import Stage
from benchmarks.table import Row, versus, within
from portal_app.infra.redis.client import connect
from portal_app.integrations.throttling.call_limits import CallLimits
from portal_app.integrations.throttling.limiter import VendorLimiter
from portal_app.integrations.throttling.vendor_call import VendorCall
from portal_app.local.servers.valkey import EmbeddedValkey

CALLS = 500
RATE = 10
SECONDS = 8.0


def measure(stage: Stage) -> list[Row]:
    """Measure both on a Valkey of their own."""
    with EmbeddedValkey(stage.scratch / "lanes") as valkey:
        call, ping = asyncio.run(_overhead(valkey.url()))
        arrivals = asyncio.run(_arrivals(valkey.url()))
    peer = ("a PING to Valkey", median(ping))
    return [
        versus("lanes: overhead of limiter and breaker per call, median", median(call), "ms", peer=peer),
        within("lanes: calls in the fullest second, two processes", _fullest(arrivals), "calls", limit=RATE),
        Row("lanes: calls per second over all", len(arrivals) / (arrivals[-1] - arrivals[0]), "calls", "rate", RATE),
    ]


async def _overhead(url: str) -> tuple[list[float], list[float]]:
    redis = connect(url, seconds=0.25)
    limits = CallLimits(concurrency=8, rate="1000000/minute", queue=9, timeout=5)
    line = VendorCall("bench", VendorLimiter(redis, "bench", limits), timeout=5)

    async def nothing() -> None:
        return None

    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(CALLS):
        began = time.perf_counter()
        await line.run("nothing", nothing, safe=False)
        between = time.perf_counter()
        await redis.ping()
        took[0].append((between - began) * 1000)
        took[1].append((time.perf_counter() - between) * 1000)
    await redis.aclose()
    return took


async def _arrivals(url: str) -> list[float]:
    """Let two processes call as often as they may, and return when their calls arrived."""
    arrived: list[float] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            arrived.append(time.monotonic())
            writer.write(b"ok\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.lanes", url, str(port)]
    callers = [await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL) for _ in range(2)]
    endings = await asyncio.gather(*(caller.wait() for caller in callers))
    server.close()
    if any(endings):
        raise SystemExit("a caller broke")
    return arrived


def _fullest(arrivals: list[float]) -> int:
    return max((sum(begin <= other < begin + 1 for other in arrivals) for begin in arrivals), default=0)


async def _call_often(url: str, port: int) -> None:
    redis = connect(url, seconds=0.25)
    limits = CallLimits(concurrency=20, rate=f"{RATE}/second", queue=100, timeout=2 * SECONDS)
    limiter = VendorLimiter(redis, "shared", limits)

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < until:
            async with limiter.slot("call"):
                writer.write(b"call\n")
                await reader.readline()
        writer.close()

    until = time.monotonic() + SECONDS
    await asyncio.gather(*(caller() for _ in range(10)))
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(_call_often(sys.argv[1], int(sys.argv[2])))
