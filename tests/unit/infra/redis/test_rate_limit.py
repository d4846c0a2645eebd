"""Rate limits: exact for many at once, strict in this process while Redis is away."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest

from portal_app.domain.errors import RateLimited
from portal_app.infra.redis.rate_limit import LocalLimits, RateLimits
from portal_app.local.servers.valkey import EmbeddedValkey
from tests.support.waiting import LONGEST_SECONDS

NOBODY = "redis://:x@127.0.0.1:1/0"


Make = Callable[..., RateLimits]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[RateLimits] = []

    # On a busy machine a healthy server may seem down, and then every process counts for itself.
    def make_one(url: str, timeout: float = 10) -> RateLimits:
        made.append(RateLimits(url, timeout=timeout))
        return made[-1]

    yield make_one
    for limits in made:
        await limits.close()


async def allowed(limits: list[RateLimits], name: str, tries: int, *, strict: bool = True) -> int:
    calls = (limits[n % len(limits)].consume("10/minute", "test", name, strict=strict) for n in range(tries))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert all(outcome is None or isinstance(outcome, RateLimited) for outcome in outcomes)
    return outcomes.count(None)


async def test_of_many_at_once_over_two_processes_exactly_the_limit_gets_through(redis_url: str, make: Make) -> None:
    assert await allowed([make(redis_url), make(redis_url)], uuid4().hex, 24) == 10


async def test_a_refusal_says_when_to_come_back_and_names_are_counted_apart(redis_url: str, make: Make) -> None:
    limits, name = make(redis_url), uuid4().hex
    await limits.consume("1/minute", "test", name)
    await limits.consume("1/minute", "test", "other" + name)
    with pytest.raises(RateLimited) as caught:
        await limits.consume("1/minute", "test", name)
    assert 50 <= caught.value.retry_after <= 61


async def test_without_redis_a_strict_limit_holds_in_this_process(make: Make) -> None:
    assert await allowed([make(NOBODY)], "name", 30) == 10


async def test_without_redis_a_limit_on_reads_lets_through(make: Make) -> None:
    assert await allowed([make(NOBODY)], "name", 30, strict=False) == 30


async def test_a_hung_redis_delays_no_sign_in(own_valkey: EmbeddedValkey, make: Make) -> None:
    limits = make(own_valkey.url(), timeout=0.25)
    await limits.consume("10/minute", "test", "name")
    assert own_valkey._process is not None
    os.kill(own_valkey._process.pid, signal.SIGSTOP)
    try:
        # Redis is paused until the end of this test.
        async with asyncio.timeout(LONGEST_SECONDS):
            await limits.consume("10/minute", "test", "name")
    finally:
        os.kill(own_valkey._process.pid, signal.SIGCONT)


async def test_local_counting_uses_no_redis_and_drops_inactive_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = LocalLimits()
    waits = [limits.seconds_left("3/second", "tab") for _ in range(4)]
    assert waits == [0, 0, 0, 1] and limits.seconds_left("3/second", "other") == 0
    later = time.monotonic() + 1.5
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert limits.seconds_left("3/second", "third") == 0
    # Both inactive keys are dropped; the one that came back starts again.
    assert len(limits._tries) == 1
    assert limits.seconds_left("3/second", "tab") == 0
