"""The circuit breaker of a vendor over a real Valkey, shared by all processes."""

import asyncio
import itertools

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from portal_app.domain.errors import ExternalError, ExternalUnavailable
from portal_app.integrations.throttling.breaker import BreakerOpen
from portal_app.integrations.throttling.call_limits import CallLimits
from portal_app.integrations.throttling.limiter import VendorLimiter
from portal_app.integrations.throttling.local_breaker import BreakerTimes
from portal_app.integrations.throttling.vendor_call import Busy, Misconfigured, VendorCall
from tests.support.running.vendor_servers import quick_redis
from tests.support.vendors.scripted_server import soon

NUMBERS = itertools.count()
# Open for longer than a busy machine needs for a call.
TIMES = BreakerTimes(failures=3, open=1.0, longest_open=60.0)


def line(redis: Redis, **changes) -> VendorCall:
    """Return the VendorCall of another process with its own limiter."""
    limits = CallLimits(concurrency=9, rate="1000/minute", queue=20, timeout=2.0)
    limiter = VendorLimiter(redis, f"limiter-{next(NUMBERS)}", limits)
    return VendorCall("vendor", limiter, **({"timeout": 0.5, "times": TIMES} | changes))


async def fail(through: VendorCall, *, retry_after: int | None = None, kind: type = ExternalUnavailable) -> None:
    async def call() -> None:
        error = kind("away")
        if retry_after is not None:
            error.retry_after = retry_after
        raise error

    with pytest.raises(ExternalError):
        await through.run("write", call, safe=False)


async def succeed(through: VendorCall) -> str:
    async def call() -> str:
        return "answer"

    return await through.run("read", call, safe=True)


async def test_an_outage_of_one_process_opens_the_breaker_of_all_processes_and_limiters(redis: Redis) -> None:
    lines = [line(redis) for _ in range(3)]
    for one in lines:
        await fail(one)
    for one in lines:
        with pytest.raises(BreakerOpen) as caught:
            await succeed(one)
        assert caught.value.retry_after == 1
    assert await lines[0].breaker.state() == "open"


async def test_one_call_probes_after_the_open_time(redis: Redis) -> None:
    first, second = line(redis), line(redis)
    for _ in range(3):
        await fail(first)
    await soon(lambda: _is(second, "half-open"))
    going, arrived = asyncio.Event(), asyncio.Event()

    async def probe() -> str:
        arrived.set()
        await going.wait()
        return "answer"

    probing = asyncio.create_task(first.run("read", probe, safe=True))
    await arrived.wait()
    with pytest.raises(BreakerOpen):
        await succeed(second)
    going.set()
    assert await probing == await succeed(second) == "answer"
    assert await second.breaker.state() == "closed"


async def test_a_failed_or_cancelled_probe_does_not_block_the_next_one(redis: Redis) -> None:
    first, second = line(redis), line(redis)
    for _ in range(3):
        await fail(first)
    await soon(lambda: _is(first, "half-open"))
    leaving = asyncio.create_task(first.run("read", asyncio.Event().wait, safe=True))
    await soon(lambda: _has_probe(redis))
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await fail(second)
    # Open, or open no more where the machine is slow; not closed.
    assert await first.breaker.state() != "closed"
    await soon(lambda: _is(first, "half-open"))
    assert await succeed(first) == "answer"


async def test_a_long_retry_after_opens_the_breaker_of_all_processes(redis: Redis) -> None:
    asked, other = line(redis), line(redis)
    await fail(asked, retry_after=30)
    with pytest.raises(BreakerOpen) as caught:
        await succeed(other)
    assert 28 <= caught.value.retry_after <= 30


async def test_a_rate_limited_answer_does_not_open_the_breaker(redis: Redis) -> None:
    one = line(redis)
    for _ in range(4):
        await fail(one, kind=Busy, retry_after=3600)
    assert await succeed(one) == "answer"


async def test_wrong_credentials_of_one_process_open_only_its_own_breaker(redis: Redis) -> None:
    wrong, right = line(redis), line(redis)
    with capture_logs() as logs:
        for _ in range(3):
            await fail(wrong, kind=Misconfigured)
        with pytest.raises(BreakerOpen):
            await succeed(wrong)
        assert await succeed(right) == "answer"
        assert (await wrong.breaker.state(), await right.breaker.state()) == ("open", "closed")
        assert not await wrong.breaker.has_no_failure() and await right.breaker.has_no_failure()
        await soon(lambda: _is(wrong, "half-open"))
        assert await succeed(wrong) == "answer" and await _is(wrong, "closed")
    told = [(entry["event"], entry["log_level"]) for entry in logs]
    assert told == [("vendor.outage_began", "error"), ("vendor.outage_ended", "info")]


async def test_a_misconfigured_probe_leaves_the_next_one_to_others(redis: Redis) -> None:
    wrong, right = line(redis), line(redis)
    for _ in range(3):
        await fail(right)
    await soon(lambda: _is(right, "half-open"))
    await fail(wrong, kind=Misconfigured)
    assert await succeed(right) == "answer"


async def test_all_processes_together_log_the_begin_and_end_of_an_outage_once(redis: Redis) -> None:
    lines = [line(redis) for _ in range(3)]
    with capture_logs() as logs:
        for one in lines:
            await fail(one)
        await soon(lambda: _is(lines[0], "half-open"))
        for one in lines:
            await succeed(one)
    assert [entry["event"] for entry in logs] == ["vendor.outage_began", "vendor.outage_ended"]


async def test_without_redis_a_process_breaks_and_recovers_by_itself() -> None:
    nobody = quick_redis("redis://127.0.0.1:1/0")
    alone = line(nobody)
    with capture_logs() as logs:
        for _ in range(3):
            await fail(alone)
        with pytest.raises(BreakerOpen):
            await succeed(alone)
        await soon(lambda: _is(alone, "half-open"))
        assert await succeed(alone) == "answer"
    assert [entry["event"] for entry in logs] == ["limiter.local", "vendor.outage_began", "vendor.outage_ended"]
    await nobody.aclose()


async def _is(through: VendorCall, state: str) -> bool:
    return await through.breaker.state() == state


async def _has_probe(redis: Redis) -> bool:
    return bool(await redis.hexists("breaker:{vendor}", "probe"))
