"""Lanes over a real Valkey: what they let through, whom first, and what happens without it."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from portal_app.integrations.lanes import Lane, LaneClosed, lane_priority
from tests.contract.lanes.scripted_server import soon
from tests.contract.lanes.servers import quick_redis


def lane(redis: Redis, **changes) -> Lane:
    return Lane(redis, "vendor", **({"concurrency": 3, "rate": "1000/minute", "queue": 50, "timeout": 5.0} | changes))


@pytest.fixture
async def nobody() -> AsyncIterator[Redis]:
    client = quick_redis("redis://127.0.0.1:1/0")
    yield client
    await client.aclose()


class Crowd:
    """Counts how many are inside at once."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self.order: list[str] = []

    async def visit(self, through: Lane, name: str = "", *, stay: float = 0.02) -> None:
        async with through.slot("visit"):
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.order.append(name)
            await asyncio.sleep(stay)
            self.inside -= 1


async def test_two_lanes_of_one_name_share_their_concurrency(redis: Redis) -> None:
    crowd, lanes = Crowd(), [lane(redis), lane(redis)]
    await asyncio.gather(*(crowd.visit(lanes[index % 2]) for index in range(24)))
    assert crowd.most == 3


async def test_no_more_than_the_rate_enter_in_one_window(redis: Redis) -> None:
    crowd, began = Crowd(), time.monotonic()
    slow = lane(redis, rate="5/second", concurrency=20)
    await asyncio.gather(*(crowd.visit(slow, stay=0) for _ in range(11)))
    assert 1.9 <= time.monotonic() - began < 4


async def test_a_full_queue_turns_further_calls_away(redis: Redis) -> None:
    narrow, crowd = lane(redis, concurrency=1, queue=2), Crowd()
    visits = [asyncio.create_task(crowd.visit(narrow, stay=0.2)) for _ in range(3)]
    await soon(lambda: _waiting(redis, 2))
    with pytest.raises(LaneClosed):
        await crowd.visit(narrow)
    await asyncio.gather(*visits)


async def test_a_call_that_waited_too_long_is_turned_away(redis: Redis) -> None:
    narrow, crowd = lane(redis, concurrency=1, timeout=0.2), Crowd()
    first = asyncio.create_task(crowd.visit(narrow, stay=0.6))
    await soon(lambda: crowd.inside == 1)
    with pytest.raises(LaneClosed):
        await crowd.visit(narrow)
    await first
    assert await _waiting(redis, 0)


async def test_waiting_customers_go_before_background_work(redis: Redis) -> None:
    narrow, crowd = lane(redis, concurrency=1), Crowd()
    visits = [asyncio.create_task(crowd.visit(narrow, "first", stay=0.3))]
    await soon(lambda: crowd.inside == 1)
    lane_priority.set("background")
    visits += [asyncio.create_task(crowd.visit(narrow, "job")) for _ in range(3)]
    lane_priority.set("customer")
    await soon(lambda: _waiting(redis, 3))
    visits += [asyncio.create_task(crowd.visit(narrow, "customer")) for _ in range(3)]
    await asyncio.gather(*visits)
    assert crowd.order == ["first", *["customer"] * 3, *["job"] * 3]


async def test_a_cancelled_call_leaves_neither_slot_nor_ticket_behind(redis: Redis) -> None:
    narrow, crowd = lane(redis, concurrency=1), Crowd()
    visits = [asyncio.create_task(crowd.visit(narrow, stay=5)) for _ in range(2)]
    await soon(lambda: _waiting(redis, 1))
    for visit in visits:
        visit.cancel()
    await asyncio.gather(*visits, return_exceptions=True)
    assert await redis.zcard("lane:{vendor}:running") == 0 and await _waiting(redis, 0)


async def test_a_slot_of_a_killed_process_comes_back_when_its_lease_ends(redis: Redis) -> None:
    await redis.zadd("lane:{vendor}:running", {"killed": int(time.time() * 1000) + 200})
    narrow, began = lane(redis, concurrency=1), time.monotonic()
    await Crowd().visit(narrow)
    assert 0.1 < time.monotonic() - began < 2


async def test_without_redis_each_process_keeps_the_limits_for_itself(nobody: Redis) -> None:
    crowd, alone = Crowd(), lane(nobody)
    await asyncio.gather(*(crowd.visit(alone) for _ in range(12)))
    assert crowd.most == 3


async def test_without_redis_a_full_queue_still_turns_calls_away(nobody: Redis) -> None:
    alone, crowd = lane(nobody, concurrency=1, queue=1), Crowd()
    visits = [asyncio.create_task(crowd.visit(alone, stay=0.2)) for _ in range(4)]
    outcomes = await asyncio.gather(*visits, return_exceptions=True)
    assert sum(isinstance(outcome, LaneClosed) for outcome in outcomes) == 2


async def _waiting(redis: Redis, count: int) -> bool:
    return await redis.zcard("lane:{vendor}:customers") + await redis.zcard("lane:{vendor}:background") == count


class ForgivingLane(Lane):
    without_redis_seconds = 0.1


async def test_a_ticket_drawn_while_redis_was_away_does_not_stay(redis: Redis) -> None:
    options = {"concurrency": 1, "rate": "1000/minute", "queue": 1, "timeout": 5.0}
    narrow, crowd = ForgivingLane(redis, "vendor", **options), Crowd()
    for _ in range(2):
        await redis.client_pause(250)
        visits = [asyncio.create_task(crowd.visit(narrow, stay=0.6))]
        await soon(lambda: crowd.inside == 1)
        visits.append(asyncio.create_task(crowd.visit(narrow)))
        await asyncio.gather(*visits)
    assert len(crowd.order) == 4
