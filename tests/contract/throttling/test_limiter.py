"""The rate limiter over a real Valkey: what it admits, in which order, and what it does without Redis."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from portal_app.infra.database.database import Database
from portal_app.infra.settings import Settings
from portal_app.integrations.build import build_vendors
from portal_app.integrations.throttling.call_limits import CallLimits, CallRequest
from portal_app.integrations.throttling.limiter import LimiterFull, VendorLimiter, call_priority
from portal_app.integrations.throttling.redis_gate import RedisGate
from tests.support.running.vendor_servers import quick_redis
from tests.support.vendors.scripted_server import soon


def limiter(redis: Redis, kind: type[VendorLimiter] = VendorLimiter, **changes) -> VendorLimiter:
    limits = {"concurrency": 3, "rate": "1000/minute", "queue": 50, "timeout": 5.0}
    return kind(redis, "vendor", CallLimits(**limits | changes))


@pytest.fixture
async def nobody() -> AsyncIterator[Redis]:
    client = quick_redis("redis://127.0.0.1:1/0")
    yield client
    await client.aclose()


class HastyLimiter(VendorLimiter):
    """Asks Redis again soon after a failure."""

    redis_pause_seconds = 0.1


async def test_each_limiter_has_the_limits_of_its_own_settings(redis: Redis) -> None:
    prefixes = {"whmcs": "whmcs", "salesforce": "sf", "salesforce-long": "sf_long", "freebit": "freebit"}
    names, given = ("concurrency", "queue", "wait", "timeout"), {}
    for number, prefix in enumerate(prefixes.values(), 1):
        given |= {f"{prefix}_{name}": number * 10 + place for place, name in enumerate(names)}
        given[f"{prefix}_rate"] = f"{number}/minute"
    settings = Settings(portal_env="development", **given)
    vendors = build_vendors(settings, redis, Database(settings, "web"))
    for line in vendors.lines:
        limits, prefix = (await line.limiter.state())["limits"], prefixes[line.limiter.name]
        state = [limits["concurrency"], limits["queue"], limits["timeout"], line.timeout, limits["rate"]]
        assert state == [given[f"{prefix}_{name}"] for name in (*names, "rate")]
        assert line.vendor == line.limiter.name.removesuffix("-long")
    await vendors.close()


class Crowd:
    """Counts how many are inside at once."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self.order: list[str] = []

    async def visit(self, through: VendorLimiter, name: str = "", *, stay: float = 0.02) -> None:
        async with through.slot("visit"):
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.order.append(name)
            await asyncio.sleep(stay)
            self.inside -= 1


async def test_two_limiters_of_one_name_share_their_concurrency(redis: Redis) -> None:
    crowd, limiters = Crowd(), [limiter(redis), limiter(redis)]
    await asyncio.gather(*(crowd.visit(limiters[index % 2]) for index in range(24)))
    assert crowd.most == 3


async def test_no_more_than_the_rate_enter_in_one_window(redis: Redis) -> None:
    crowd, began = Crowd(), time.monotonic()
    slow = limiter(redis, rate="5/second", concurrency=20)
    await asyncio.gather(*(crowd.visit(slow, stay=0) for _ in range(11)))
    assert time.monotonic() - began >= 1.9


async def test_a_full_queue_turns_further_calls_away(redis: Redis) -> None:
    narrow, crowd = limiter(redis, concurrency=1, queue=2), Crowd()
    visits = [asyncio.create_task(crowd.visit(narrow, stay=0.2)) for _ in range(3)]
    await soon(lambda: _waiting(redis, 2))
    with pytest.raises(LimiterFull):
        await crowd.visit(narrow)
    await asyncio.gather(*visits)


async def test_a_call_that_waited_too_long_is_turned_away(redis: Redis) -> None:
    narrow, crowd = limiter(redis, concurrency=1, timeout=0.2), Crowd()
    first = asyncio.create_task(crowd.visit(narrow, stay=0.6))
    await soon(lambda: crowd.inside == 1)
    with pytest.raises(LimiterFull):
        await crowd.visit(narrow)
    await first
    assert await _waiting(redis, 0)


@pytest.mark.parametrize("has_redis", [True, False])
async def test_customers_are_admitted_before_orders_and_orders_before_background_work(
    redis: Redis, nobody: Redis, has_redis: bool
) -> None:
    narrow, crowd = limiter(redis if has_redis else nobody, concurrency=1), Crowd()
    visits = [asyncio.create_task(crowd.visit(narrow, "first", stay=0.4))]
    await soon(lambda: crowd.inside == 1)
    for count, priority in enumerate(("sync", "background", "customer"), 1):
        call_priority.set(priority)
        visits += [asyncio.create_task(crowd.visit(narrow, priority)) for _ in range(2)]
        await soon(lambda count=count: shows_waiting(narrow, count * 2))
    await asyncio.gather(*visits)
    assert crowd.order == ["first", *["customer"] * 2, *["background"] * 2, *["sync"] * 2]


@pytest.mark.parametrize("has_redis", [True, False])
async def test_a_queue_full_of_background_work_rejects_no_customer(
    redis: Redis, nobody: Redis, has_redis: bool
) -> None:
    narrow, crowd = limiter(redis if has_redis else nobody, concurrency=1, queue=2), Crowd()
    visits = [asyncio.create_task(crowd.visit(narrow, "first", stay=0.4))]
    await soon(lambda: crowd.inside == 1)
    call_priority.set("background")
    visits += [asyncio.create_task(crowd.visit(narrow, "background")) for _ in range(2)]
    await soon(lambda: shows_waiting(narrow, 2))
    with pytest.raises(LimiterFull):
        await crowd.visit(narrow)
    call_priority.set("customer")
    await asyncio.gather(crowd.visit(narrow, "customer"), *visits)
    assert crowd.order == ["first", "customer", "background", "background"]


async def test_a_call_counts_until_a_window_after_its_end(redis: Redis) -> None:
    slow, crowd, began = limiter(redis, rate="2/second"), Crowd(), time.monotonic()
    await asyncio.gather(*(crowd.visit(slow, stay=0.5) for _ in range(3)))
    assert time.monotonic() - began >= 2.0


async def test_the_state_shows_limits_counts_and_waits_of_the_hour(redis: Redis) -> None:
    narrow, crowd = limiter(redis, concurrency=1, queue=1), Crowd()
    visits = [asyncio.create_task(crowd.visit(narrow, stay=0.3)) for _ in range(2)]
    await soon(lambda: shows_waiting(limiter(redis), 1))
    with pytest.raises(LimiterFull):
        await crowd.visit(narrow)
    state = await limiter(redis).state()
    assert (state["shared"], state["running"], state["waiting"]["customer"], state["hour"]["full"]) == (True, 1, 1, 1)
    await asyncio.gather(*visits)
    hour = (await narrow.state())["hour"]
    assert hour["entered"] == 2 and 200 < hour["longest"] <= hour["waited"] < 2000


async def test_the_state_shows_when_limits_are_local(nobody: Redis) -> None:
    alone, crowd = limiter(nobody), Crowd()
    visit = asyncio.create_task(crowd.visit(alone, stay=0.2))
    await soon(lambda: crowd.inside == 1)
    state = await alone.state()
    assert (state["shared"], state["running"], state["limits"]["rate"]) == (False, 1, "1000/minute")
    await visit


async def test_a_cancelled_call_leaves_neither_slot_nor_ticket_behind(redis: Redis) -> None:
    narrow, crowd = limiter(redis, concurrency=1), Crowd()
    visits = [asyncio.create_task(crowd.visit(narrow, stay=5)) for _ in range(2)]
    await soon(lambda: _waiting(redis, 1))
    for visit in visits:
        visit.cancel()
    await asyncio.gather(*visits, return_exceptions=True)
    assert (await narrow.state())["running"] == 0 and await _waiting(redis, 0)


async def test_a_slot_of_a_killed_process_comes_back_when_its_lease_ends(redis: Redis) -> None:
    await redis.zadd("lane:{vendor}:calls", {"killed": int(time.time() * 1000) + 200})
    narrow, began = limiter(redis, concurrency=1), time.monotonic()
    await Crowd().visit(narrow)
    assert time.monotonic() - began > 0.1


async def test_without_redis_each_process_admits_its_local_share(nobody: Redis) -> None:
    crowd, alone, began = Crowd(), limiter(nobody, concurrency=4, rate="8/second"), time.monotonic()
    await asyncio.gather(*(crowd.visit(alone) for _ in range(9)))
    assert crowd.most == 2 and time.monotonic() - began >= 1.9


async def test_without_redis_a_full_queue_still_turns_calls_away(nobody: Redis) -> None:
    alone, crowd = limiter(nobody, concurrency=1, queue=1), Crowd()
    visits = [asyncio.create_task(crowd.visit(alone, stay=0.2)) for _ in range(4)]
    outcomes = await asyncio.gather(*visits, return_exceptions=True)
    assert sum(isinstance(outcome, LimiterFull) for outcome in outcomes) == 2


async def test_a_place_in_the_local_queue_is_given_up_when_redis_is_back(redis: Redis, redis_url: str) -> None:
    quick = quick_redis(redis_url)
    narrow, crowd = limiter(quick, HastyLimiter, concurrency=1, queue=1), Crowd()
    for _ in range(2):
        await redis.client_pause(450)
        visits = [asyncio.create_task(crowd.visit(narrow, stay=0.6))]
        await soon(lambda: crowd.inside == 1)
        visits.append(asyncio.create_task(crowd.visit(narrow)))
        await asyncio.gather(*visits)
    assert len(crowd.order) == 4
    await quick.aclose()


async def test_one_missed_answer_does_not_mark_redis_unavailable(redis: Redis, redis_url: str) -> None:
    quick, crowd = quick_redis(redis_url), Crowd()
    vendor = limiter(quick)
    await crowd.visit(vendor)
    await redis.client_pause(300)
    await crowd.visit(vendor)
    state = await vendor.state()
    assert state["shared"] and state["hour"]["entered"] >= 2
    await quick.aclose()


async def test_an_attempt_whose_answer_was_lost_holds_one_slot(redis: Redis) -> None:
    call, gate = CallRequest("call", "customer", "ben"), redis_gate(redis, concurrency=1, rate="1/minute")
    answers = [await gate.acquire(call, 0.0) for _ in range(2)]
    assert [answer.verdict for answer in answers] == ["admitted", "admitted"]
    assert (await gate.counts()).in_window == 1


async def test_a_running_call_that_redis_lost_is_counted_again_and_one_that_ended_is_not(redis: Redis) -> None:
    gate, calls = redis_gate(redis), {name: CallRequest(name, "customer", "ben") for name in ("one", "other")}
    for call in calls.values():
        await gate.acquire(call, 0.0)
    await redis.flushall()
    renewal = asyncio.create_task(gate.renew(calls))
    await asyncio.sleep(0)
    await gate.release(calls.pop("other"))
    await renewal
    assert (await gate.counts()).running == 1


async def test_a_redis_clock_set_back_blocks_no_call(redis: Redis) -> None:
    slow, crowd = limiter(redis, concurrency=1, rate="2/second"), Crowd()
    await crowd.visit(slow)
    late = int(time.time() * 1000) + 600_000
    await redis.zadd("lane:{vendor}:calls", {"killed": late, "ended": late})
    await crowd.visit(slow)
    assert len(crowd.order) == 2


async def test_a_crowd_asks_less_often_the_larger_it_is(redis: Redis) -> None:
    gate = redis_gate(redis, concurrency=1, rate="1000/second", queue=500)
    answers = [await gate.acquire(CallRequest(f"call-{number}", "customer"), 0.0) for number in range(102)]
    assert answers[0].verdict == "admitted"
    waits = [answer.wait for answer in answers]
    assert set(waits[1:21]) == {0} and waits[40] > 100 and waits[101] > 2 * waits[40]


def redis_gate(redis: Redis, **changes) -> RedisGate:
    limits = {"concurrency": 3, "rate": "1000/minute", "queue": 50, "timeout": 5.0} | changes
    return RedisGate(redis, "vendor", CallLimits(**limits), lease=3.0)


async def shows_waiting(through: VendorLimiter, count: int) -> bool:
    return sum((await through.state())["waiting"].values()) == count


async def _waiting(redis: Redis, count: int) -> bool:
    return await redis.zcard("lane:{vendor}:customers") + await redis.zcard("lane:{vendor}:background") == count
