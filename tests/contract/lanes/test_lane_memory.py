"""What a lane promises while processes stand still and Redis forgets, restarts or is put back in time."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from redis.asyncio import Redis

from portal_app.integrations.throttling.limiter import Lane, LaneClosed
from portal_app.local.servers.valkey import EmbeddedValkey
from tests.contract.lanes.caller import LIMITS, BriefLane, CallersLane, LastingLane
from tests.contract.lanes.scripted_server import soon
from tests.contract.lanes.servers import quick_redis
from tests.contract.lanes.test_lanes import Crowd, lane

RATE = 10


class Seen:
    """A vendor that notes when calls come and how many it works on at once."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.now = self.most = 0
        self.is_open = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while self.is_open and await reader.readline():
                self.at.append(time.monotonic())
                self.now += 1
                self.most = max(self.most, self.now)
                await asyncio.sleep(0.1)
                self.now -= 1
                writer.write(b"ok\n")
        writer.close()

    def fullest_second(self) -> int:
        return max(sum(begin <= other < begin + 1 for other in self.at) for begin in self.at)

    async def more_than(self, calls: int) -> None:
        """Wait until so many more have come."""
        before = len(self.at)
        await soon(lambda: len(self.at) > before + calls, 15)


@asynccontextmanager
async def called_by_two(redis_url: str) -> AsyncIterator[tuple[Seen, list[asyncio.subprocess.Process]]]:
    """Let two processes call a vendor as often as they may."""
    seen = Seen()
    server = await asyncio.start_server(seen.serve, "127.0.0.1", 0)
    command = [sys.executable, "-m", "tests.contract.lanes.caller", redis_url]
    told = str(server.sockets[0].getsockname()[1]), CallersLane.__name__
    processes = [await asyncio.create_subprocess_exec(*command, *told) for _ in range(2)]
    try:
        await soon(lambda: len(seen.at) > RATE, 60)
        yield seen, processes
        seen.is_open = False
        assert [await asyncio.wait_for(each.wait(), 20) for each in processes] == [0, 0]
    finally:
        for each in processes:
            if each.returncode is None:
                each.kill()
                await each.wait()
        server.close()


async def test_limits_hold_over_two_processes_of_which_one_stands_still_and_while_redis_forgets(
    redis: Redis, redis_url: str
) -> None:
    async with called_by_two(redis_url) as (seen, processes):
        for stopped in processes:
            stopped.send_signal(signal.SIGSTOP)
            # Longer than the leases: what it holds must come back to the other one.
            await asyncio.sleep(CallersLane.lease_seconds * 2)
            await seen.more_than(3)
            stopped.send_signal(signal.SIGCONT)
            await redis.flushall()
            await seen.more_than(RATE)
    assert seen.most <= LIMITS["concurrency"] and seen.fullest_second() <= RATE


async def test_slots_of_a_dead_process_come_back_at_once_and_those_of_one_that_stands_still_do_not(
    redis: Redis, redis_url: str
) -> None:
    arrived = asyncio.Queue[None]()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        arrived.put_nowait(None)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    command = [sys.executable, "-m", "tests.contract.lanes.caller", redis_url]
    port = str(server.sockets[0].getsockname()[1])
    process = await asyncio.create_subprocess_exec(*command, port, LastingLane.__name__)
    try:
        for _ in range(LIMITS["concurrency"]):
            await asyncio.wait_for(arrived.get(), 30)
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(LaneClosed):
            await Crowd().visit(LastingLane(redis, "vendor", **LIMITS | {"timeout": 3.0}))
    finally:
        process.kill()
        await process.wait()
        server.close()
    await Crowd().visit(LastingLane(redis, "vendor", **LIMITS))


async def test_a_call_under_way_keeps_its_slot_when_redis_forgets_it(redis: Redis) -> None:
    one, other, crowd = BriefLane(redis, "vendor", **LIMITS), BriefLane(redis, "vendor", **LIMITS), Crowd()
    await crowd.visit(other)
    visits = [asyncio.create_task(crowd.visit(one, stay=1.2)) for _ in range(2)]
    await soon(lambda: crowd.inside == 2)
    await redis.flushall()
    await crowd.visit(other)
    assert crowd.most == 2
    await asyncio.gather(*visits)
    assert (await one.state())["running"] == 0


async def test_a_process_alone_counts_what_it_called_before_redis_went_and_tells_it_afterwards(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as valkey:
        redis = quick_redis(valkey.url())
        limits = LIMITS | {"concurrency": 9, "rate": "6/minute", "timeout": 0.3}
        one, other, crowd = BriefLane(redis, "vendor", **limits), BriefLane(redis, "vendor", **limits), Crowd()
        for each in (one, other):
            await asyncio.gather(*(crowd.visit(each) for _ in range(2)))
        valkey.stop()
        await crowd.visit(one)
        await crowd.visit(one)
        assert not (await one.state())["shared"] and (await one.state())["in_window"] == 4
        again = EmbeddedValkey(tmp_path / "valkey", port=valkey.port)
        again.start()
        await redis.flushall()
        await soon(lambda: _counts(one, 6))
        with pytest.raises(LaneClosed):
            await crowd.visit(other)
        assert len(crowd.order) == 6
        await redis.aclose()
        again.stop()


class HastyLane(Lane):
    """Looks for Redis again soon; a slot that nobody gives back lasts longer than anybody waits."""

    without_redis_seconds = 1.0


async def test_a_redis_that_misses_one_answer_is_not_away(redis: Redis, redis_url: str) -> None:
    quick, crowd = quick_redis(redis_url), Crowd()
    hasty = HastyLane(quick, "vendor", **LIMITS)
    await crowd.visit(hasty)
    await redis.client_pause(300)
    await crowd.visit(hasty)
    assert await _is_shared(hasty, True) and (await hasty.state())["hour"]["entered"] >= 2
    await quick.aclose()


async def test_a_slot_that_ended_while_redis_was_away_is_free_when_it_is_back(redis: Redis, redis_url: str) -> None:
    quick = quick_redis(redis_url)
    narrow, crowd = HastyLane(quick, "vendor", **LIMITS | {"concurrency": 1, "timeout": 5.0}), Crowd()
    visit = asyncio.create_task(crowd.visit(narrow, stay=0.5))
    await soon(lambda: crowd.inside == 1)
    await redis.client_pause(600)
    await soon(lambda: _is_shared(narrow, False))
    await visit
    await soon(lambda: _is_shared(narrow, True))
    await crowd.visit(narrow)
    assert len(crowd.order) == 2
    await quick.aclose()


async def test_a_clock_of_redis_that_is_put_back_stops_nobody(redis: Redis) -> None:
    slow, crowd = lane(redis, concurrency=1, rate="2/second"), Crowd()
    await crowd.visit(slow)
    late = int(time.time() * 1000) + 600_000
    await redis.zadd("lane:{vendor}:running", {"killed": late})
    await redis.zadd("lane:{vendor}:window", {"killed": late, "ended": late})
    await crowd.visit(slow)
    assert len(crowd.order) == 2


async def _is_shared(through: Lane, wanted: bool) -> bool:
    return (await through.state())["shared"] is wanted


async def _counts(through: Lane, calls: int) -> bool:
    state = await through.state()
    return bool(state["shared"]) and state["in_window"] == calls
