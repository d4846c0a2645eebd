"""The share of one customer: one customer cannot use all calls to a vendor."""

import asyncio

import pytest
from redis.asyncio import Redis

from portal_app.infra.tasks.current_customer import working_for
from portal_app.integrations.throttling.call_limits import CallLimits
from portal_app.integrations.throttling.limiter import LimiterFull, VendorLimiter, call_priority
from tests.contract.throttling.test_limiter import Crowd, shows_waiting
from tests.support.running.vendor_servers import quick_redis
from tests.support.vendors.scripted_server import soon

LIMITS = {"concurrency": 4, "rate": "8/minute", "queue": 4, "timeout": 5.0, "local_percent": 100}


@pytest.fixture(params=[True, False], ids=["redis", "without redis"])
async def clients(request, redis: Redis):
    """Return the clients of two processes, or of one twice while Redis is away: then each counts for itself."""
    nobody = quick_redis("redis://127.0.0.1:1/0")
    yield redis if request.param else nobody
    await nobody.aclose()


def limiter(redis: Redis, **changes) -> VendorLimiter:
    return VendorLimiter(redis, "vendor", CallLimits(**LIMITS | changes))


async def call(through: VendorLimiter, customer: str, crowd: Crowd, *, stay: float = 0) -> None:
    with working_for(customer):
        await crowd.visit(through, customer, stay=stay)


async def test_one_customer_gets_half_of_the_rate_and_the_others_the_rest(clients: Redis) -> None:
    vendor, crowd = limiter(clients, timeout=0.5), Crowd()
    asked = await asyncio.gather(*(call(vendor, "ben", crowd) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(outcome, LimiterFull) for outcome in asked) == 2
    for customer in ("aiko", "aiko", "hana", ""):
        await call(vendor, customer, crowd)
    assert crowd.order == ["ben"] * 4 + ["aiko"] * 2 + ["hana", ""]


async def test_one_customer_gets_half_of_the_slots_and_waits_for_more(clients: Redis) -> None:
    vendor, crowd, ben = limiter(clients, rate="100/minute"), Crowd(), Crowd()
    calls = [asyncio.create_task(call(vendor, "ben", ben, stay=0.3)) for _ in range(4)]
    await soon(lambda: ben.inside == 2)
    await asyncio.gather(*(call(vendor, "aiko", crowd) for _ in range(2)))
    assert ben.inside == 2 and len(ben.order) == 2
    await asyncio.gather(*calls)
    assert ben.most == 2 and len(ben.order) == 4


async def test_one_customer_gets_half_of_the_queue(clients: Redis) -> None:
    vendor, crowd = limiter(clients, concurrency=1, rate="100/minute"), Crowd()
    calls = [asyncio.create_task(call(vendor, "", crowd, stay=0.5))]
    await soon(lambda: crowd.inside == 1)
    calls += [asyncio.create_task(call(vendor, "ben", crowd)) for _ in range(2)]
    await soon(lambda: shows_waiting(vendor, 2))
    with pytest.raises(LimiterFull):
        await call(vendor, "ben", crowd)
    await asyncio.gather(call(vendor, "aiko", crowd), *calls)
    assert sorted(crowd.order) == ["", "aiko", "ben", "ben"]


async def test_calls_over_the_share_hold_up_no_background_work(clients: Redis) -> None:
    vendor, crowd, ben = limiter(clients, rate="100/minute"), Crowd(), Crowd()
    calls = [asyncio.create_task(call(vendor, "ben", ben, stay=0.3)) for _ in range(3)]
    await soon(lambda: ben.inside == 2)
    call_priority.set("background")
    await call(vendor, "", crowd)
    assert ben.inside == 2
    await asyncio.gather(*calls)


async def test_work_without_a_customer_may_use_all(clients: Redis) -> None:
    vendor, crowd = limiter(clients), Crowd()
    await asyncio.gather(*(call(vendor, "", crowd, stay=0.05) for _ in range(8)))
    assert crowd.most == 4


async def test_a_customer_whose_calls_ended_or_were_cancelled_leaves_nothing_behind(redis: Redis) -> None:
    vendor, ben = limiter(redis, rate="100/minute"), Crowd()
    calls = [asyncio.create_task(call(vendor, "ben", ben, stay=5)) for _ in range(4)]
    await soon(lambda: _count(redis, "waiting:ben", 2))
    for each in calls:
        each.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    # A cancelled call gives its place up by itself, beside its caller.
    await soon(lambda: _count(redis, "waiting:ben", 0))
    await soon(lambda: _count(redis, "calls:ben", 2))
    await asyncio.gather(*(call(vendor, "ben", ben) for _ in range(2)))


async def _count(redis: Redis, key: str, count: int) -> bool:
    return await redis.zcard(f"lane:{{vendor}}:{key}") == count
