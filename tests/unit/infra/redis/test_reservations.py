"""Tries whose outcome is not known yet: right ones leave the limit to others, wrong ones use it up."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from portal_app.domain.errors import RateLimited
from portal_app.infra.redis.rate_limit import RateLimits

NOBODY = "redis://:x@127.0.0.1:1/0"


@pytest.fixture(params=["redis", "without redis"])
async def processes(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[list[RateLimits]]:
    """Two processes at one Redis, or one alone: without Redis each counts for itself."""
    url = redis_url if request.param == "redis" else NOBODY
    made = [RateLimits(url, timeout=10) for _ in range(2 if request.param == "redis" else 1)]
    yield made
    for limits in made:
        await limits.close()


async def tried(processes: list[RateLimits], name: str, *, right: list[bool], wait: float = 60) -> list[bool]:
    """Make tries at once, and return which were let through."""
    are_all_in, inside = asyncio.Event(), 0

    async def one(number: int) -> bool:
        nonlocal inside
        limits = processes[number % len(processes)]
        try:
            async with limits.undecided("10/minute", "test", name, wait=wait) as made:
                inside += 1
                if inside == min(10, len(right)):
                    are_all_in.set()
                # As many as the limit allows are undecided together.
                await are_all_in.wait()
                made.counts = not right[number]
        except RateLimited as error:
            assert 1 <= error.retry_after <= 60
            return False
        return True

    return await asyncio.gather(*(one(number) for number in range(len(right))))


async def test_more_right_tries_at_once_than_the_limit_are_all_let_through(processes: list[RateLimits]) -> None:
    name = uuid4().hex
    assert await tried(processes, name, right=[True] * 24) == [True] * 24
    assert sum(await tried(processes, name, right=[False] * 12, wait=0)) == 10


async def test_wrong_tries_stay_counted_and_never_exceed_the_limit(processes: list[RateLimits]) -> None:
    name = uuid4().hex
    assert sum(await tried(processes, name, right=[False] * 24)) == 10
    assert await tried(processes, name, right=[True]) == [False]
    assert await tried(processes, "another" + name, right=[True]) == [True]


async def test_a_try_that_breaks_off_counts(processes: list[RateLimits]) -> None:
    name = uuid4().hex
    with pytest.raises(ZeroDivisionError):
        async with processes[0].undecided("1/minute", "test", name, wait=0):
            raise ZeroDivisionError
    with pytest.raises(RateLimited, match="retry after"):
        async with processes[0].undecided("1/minute", "test", name, wait=0):
            pass
