"""A limiter over several processes: in ordinary operation, after a kill, and with Redis away."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from portal_app.integrations.throttling.limiter import LimiterFull, VendorLimiter
from portal_app.local.servers.valkey import EmbeddedValkey
from tests.contract.throttling.caller import CALLERS, LIMITS
from tests.support.vendors.scripted_server import soon

RATE = 10
PROCESSES = 2


class Vendor:
    """Notes when calls arrive and how many it works on at once; with `answers` False it never answers."""

    def __init__(self, *, answers: bool = True) -> None:
        self.at: list[float] = []
        self.now = self.most = 0
        self.is_open = True
        self._answers = answers

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while self.is_open and await reader.readline():
                self.at.append(time.monotonic())
                self.now += 1
                self.most = max(self.most, self.now)
                await (asyncio.sleep(0.1) if self._answers else reader.read())
                self.now -= 1
                writer.write(b"ok\n")
        writer.close()

    def fullest_second(self) -> int:
        return max(sum(begin <= other < begin + 1 for other in self.at) for begin in self.at)

    async def more_than(self, calls: int) -> None:
        """Wait until so many more have come."""
        before = len(self.at)
        await soon(lambda: len(self.at) > before + calls, 15)

    def forget(self) -> None:
        self.at.clear()
        self.most = self.now


@asynccontextmanager
async def called_by(redis_url: str, vendor: Vendor, count: int) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """Let processes call a vendor as often as they may."""
    server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0)
    port = str(server.sockets[0].getsockname()[1])
    command = [sys.executable, "-m", "tests.contract.throttling.caller", redis_url, port]
    processes = [await asyncio.create_subprocess_exec(*command) for _ in range(count)]
    try:
        yield processes
    finally:
        for each in processes:
            if each.returncode is None:
                each.kill()
                await each.wait()
        server.close()


async def test_limits_hold_over_two_processes_as_the_vendor_counts_them(redis: Redis, redis_url: str) -> None:
    vendor = Vendor()
    async with called_by(redis_url, vendor, PROCESSES) as processes:
        await soon(lambda: len(vendor.at) > 4 * RATE, 60)
        vendor.is_open = False
        assert [await asyncio.wait_for(each.wait(), 20) for each in processes] == [0] * PROCESSES
    assert vendor.most == LIMITS.concurrency and vendor.fullest_second() <= RATE


async def test_slots_are_kept_while_their_process_lives_and_come_back_within_the_lease_of_a_killed_one(
    redis: Redis, redis_url: str
) -> None:
    other = VendorLimiter(redis, "vendor", replace(LIMITS, timeout=VendorLimiter.lease_seconds + 1))
    vendor = Vendor(answers=False)
    async with called_by(redis_url, vendor, 1) as (process,):
        await soon(lambda: vendor.now == LIMITS.concurrency, 60)
        with pytest.raises(LimiterFull):
            await enter(other)
        process.kill()
        await process.wait()
        await asyncio.gather(*(enter(other) for _ in range(LIMITS.concurrency)))
    # The four waiting calls of the killed process left no entries either.
    assert sum((await other.state())["waiting"].values()) == 0


async def test_with_redis_away_each_process_keeps_its_local_share_and_shares_again_afterwards(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as valkey:
        vendor = Vendor()
        async with called_by(valkey.url(), vendor, PROCESSES) as processes:
            await soon(lambda: len(vendor.at) > RATE, 60)
            valkey.stop()
            await vendor.more_than(RATE)
            vendor.forget()
            await vendor.more_than(2 * RATE)
            local = LIMITS.for_local()
            assert local.concurrency * PROCESSES < CALLERS
            assert vendor.most <= local.concurrency * PROCESSES and vendor.fullest_second() <= local.calls * PROCESSES
            again = EmbeddedValkey(tmp_path / "valkey", port=valkey.port)
            again.start()
            await vendor.more_than(2 * RATE)
            vendor.is_open = False
            assert [await asyncio.wait_for(each.wait(), 20) for each in processes] == [0] * PROCESSES
            again.stop()


async def enter(limiter: VendorLimiter) -> None:
    async with limiter.slot("call"):
        pass
