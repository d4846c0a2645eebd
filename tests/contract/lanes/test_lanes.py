"""Lanes over a real Valkey: what they let through, whom first, and what happens without it."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from portal_app.infra.settings import Settings
from portal_app.integrations.build import build_vendors
from portal_app.integrations.throttling.gates import ENTERED, Limits, OwnGate, SharedGate
from portal_app.integrations.throttling.limiter import Lane, LaneClosed, lane_priority
from tests.contract.lanes.scripted_server import soon
from tests.contract.lanes.servers import quick_redis


def lane(redis: Redis, **changes) -> Lane:
    return Lane(redis, "vendor", **({"concurrency": 3, "rate": "1000/minute", "queue": 50, "timeout": 5.0} | changes))


@pytest.fixture
async def nobody() -> AsyncIterator[Redis]:
    client = quick_redis("redis://127.0.0.1:1/0")
    yield client
    await client.aclose()


class BriefLane(Lane):
    lease_seconds = 0.2


async def test_each_lane_has_the_limits_of_its_own_settings(redis: Redis) -> None:
    prefixes = {"whmcs": "whmcs", "salesforce": "sf", "salesforce-long": "sf_long", "freebit": "freebit"}
    names, given = ("concurrency", "queue", "wait", "timeout"), {}
    for number, prefix in enumerate(prefixes.values(), 1):
        given |= {f"{prefix}_{name}": number * 10 + place for place, name in enumerate(names)}
        given[f"{prefix}_rate"] = f"{number}/minute"
    vendors = build_vendors(Settings(portal_env="development", **given), redis)
    for line in vendors.lines:
        limits, prefix = (await line.lane.state())["limits"], prefixes[line.lane.name]
        told = [limits["concurrency"], limits["queue"], limits["timeout"], line.timeout, limits["rate"]]
        assert told == [given[f"{prefix}_{name}"] for name in (*names, "rate")]
        assert line.vendor == line.lane.name.removesuffix("-long")
    await vendors.close()


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
    assert time.monotonic() - began >= 1.9


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


@pytest.mark.parametrize("has_redis", [True, False])
async def test_waiting_customers_go_before_orders_and_orders_before_upkeep(
    redis: Redis, nobody: Redis, has_redis: bool
) -> None:
    narrow, crowd = lane(redis if has_redis else nobody, concurrency=1), Crowd()
    visits = [asyncio.create_task(crowd.visit(narrow, "first", stay=0.4))]
    await soon(lambda: crowd.inside == 1)
    for count, priority in enumerate(("sync", "background", "customer"), 1):
        lane_priority.set(priority)
        visits += [asyncio.create_task(crowd.visit(narrow, priority)) for _ in range(2)]
        await soon(lambda count=count: _told_waiting(narrow, count * 2))
    await asyncio.gather(*visits)
    assert crowd.order == ["first", *["customer"] * 2, *["background"] * 2, *["sync"] * 2]


@pytest.mark.parametrize("has_redis", [True, False])
async def test_a_queue_full_of_work_that_may_wait_turns_no_customer_away(
    redis: Redis, nobody: Redis, has_redis: bool
) -> None:
    narrow, crowd = lane(redis if has_redis else nobody, concurrency=1, queue=2), Crowd()
    visits = [asyncio.create_task(crowd.visit(narrow, "first", stay=0.4))]
    await soon(lambda: crowd.inside == 1)
    lane_priority.set("background")
    visits += [asyncio.create_task(crowd.visit(narrow, "background")) for _ in range(2)]
    await soon(lambda: _told_waiting(narrow, 2))
    with pytest.raises(LaneClosed):
        await crowd.visit(narrow)
    lane_priority.set("customer")
    await asyncio.gather(crowd.visit(narrow, "customer"), *visits)
    assert crowd.order == ["first", "customer", "background", "background"]


async def test_a_call_counts_until_a_window_after_its_end(redis: Redis) -> None:
    slow, crowd, began = lane(redis, rate="2/second"), Crowd(), time.monotonic()
    await asyncio.gather(*(crowd.visit(slow, stay=0.5) for _ in range(3)))
    assert time.monotonic() - began >= 2.0


async def test_the_state_tells_limits_counts_and_this_hours_waits(redis: Redis) -> None:
    narrow, crowd = lane(redis, concurrency=1, queue=1), Crowd()
    visits = [asyncio.create_task(crowd.visit(narrow, stay=0.3)) for _ in range(2)]
    await soon(lambda: _told_waiting(lane(redis), 1))
    with pytest.raises(LaneClosed):
        await crowd.visit(narrow)
    told = await lane(redis).state()
    assert (told["shared"], told["running"], told["waiting"]["customer"], told["hour"]["full"]) == (True, 1, 1, 1)
    await asyncio.gather(*visits)
    hour = (await narrow.state())["hour"]
    assert hour["entered"] == 2 and 200 < hour["longest"] <= hour["waited"] < 2000


async def test_the_state_says_when_each_process_is_on_its_own(nobody: Redis) -> None:
    alone, crowd = lane(nobody), Crowd()
    visit = asyncio.create_task(crowd.visit(alone, stay=0.2))
    await soon(lambda: crowd.inside == 1)
    told = await alone.state()
    assert (told["shared"], told["running"], told["limits"]["rate"]) == (False, 1, "1000/minute")
    await visit


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
    assert time.monotonic() - began > 0.1


async def test_a_long_call_keeps_its_slot_and_counts_against_the_rate(redis: Redis) -> None:
    crowd, brief = Crowd(), {"concurrency": 2, "rate": "2/second", "queue": 9, "timeout": 5.0}
    lanes = [BriefLane(redis, "vendor", **brief) for _ in range(2)]
    began = time.monotonic()
    visits = [asyncio.create_task(crowd.visit(each, stay=1.0)) for each in lanes]
    await soon(lambda: crowd.inside == 2)
    await crowd.visit(lanes[0])
    assert crowd.most == 2 and time.monotonic() - began >= 2.0
    await asyncio.gather(*visits)


async def test_without_redis_each_process_keeps_the_limits_for_itself(nobody: Redis) -> None:
    crowd, alone = Crowd(), lane(nobody)
    await asyncio.gather(*(crowd.visit(alone) for _ in range(12)))
    assert crowd.most == 3


async def test_without_redis_a_full_queue_still_turns_calls_away(nobody: Redis) -> None:
    alone, crowd = lane(nobody, concurrency=1, queue=1), Crowd()
    visits = [asyncio.create_task(crowd.visit(alone, stay=0.2)) for _ in range(4)]
    outcomes = await asyncio.gather(*visits, return_exceptions=True)
    assert sum(isinstance(outcome, LaneClosed) for outcome in outcomes) == 2


async def _told_waiting(through: Lane, count: int) -> bool:
    return sum((await through.state())["waiting"].values()) == count


async def _waiting(redis: Redis, count: int) -> bool:
    return await redis.zcard("lane:{vendor}:customers") + await redis.zcard("lane:{vendor}:background") == count


class ForgivingLane(Lane):
    without_redis_seconds = 0.1


async def test_a_ticket_drawn_while_redis_was_away_does_not_stay(redis: Redis, redis_url: str) -> None:
    options = {"concurrency": 1, "rate": "1000/minute", "queue": 1, "timeout": 5.0}
    quick = quick_redis(redis_url)
    narrow, crowd = ForgivingLane(quick, "vendor", **options), Crowd()
    for _ in range(2):
        await redis.client_pause(250)
        visits = [asyncio.create_task(crowd.visit(narrow, stay=0.6))]
        await soon(lambda: crowd.inside == 1)
        visits.append(asyncio.create_task(crowd.visit(narrow)))
        await asyncio.gather(*visits)
    assert len(crowd.order) == 4
    await narrow.close()
    await quick.aclose()


async def test_a_crowd_comes_to_the_door_less_often_the_larger_it_is(redis: Redis) -> None:
    limits = Limits(concurrency=1, rate=1000, period=1000, queue=500, lease=8000)
    gate = SharedGate(redis, "vendor", limits, OwnGate(limits))
    hints = [await gate.enter(f"call-{number}", "customer", 0.0) for number in range(102)]
    assert hints[0] == ENTERED
    assert set(hints[1:21]) == {0} and hints[40] > 100 and hints[101] > 2 * hints[40]
