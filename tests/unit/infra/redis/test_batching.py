"""Loads of one turn of the event loop share a query, and an error stays with its callers."""

import asyncio
from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from portal_app.infra.redis.batching import BatchLoader
from portal_app.infra.redis.scripts import RedisScripts


class Loader:
    """Doubles numbers and records its queries; odd numbers are unknown."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.is_broken = False

    async def load(self, numbers: Sequence[int]) -> dict[int, int]:
        self.asked.append(sorted(numbers))
        await asyncio.sleep(0)
        if self.is_broken:
            raise LookupError("broken")
        return {number: number * 2 for number in numbers if number % 2 == 0}


async def test_loads_of_one_loop_turn_share_a_query() -> None:
    loader = Loader()
    doubles = BatchLoader(loader.load)
    assert await asyncio.gather(*(doubles.load(number) for number in (2, 4, 4, 5))) == [4, 8, 8, None]
    assert await doubles.load(2) == 4
    assert loader.asked == [[2, 4, 5], [2]]


async def test_a_failed_query_fails_for_its_callers_only() -> None:
    loader = Loader()
    doubles, loader.is_broken = BatchLoader(loader.load), True
    results = await asyncio.gather(doubles.load(2), doubles.load(4), return_exceptions=True)
    assert [type(each) for each in results] == [LookupError, LookupError]
    loader.is_broken = False
    assert await doubles.load(2) == 4


async def test_a_cancelled_caller_does_not_cancel_the_others() -> None:
    doubles = BatchLoader(Loader().load)
    leaving, staying = (asyncio.create_task(doubles.load(2)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 4


async def test_scripts_are_sent_again_to_a_redis_that_forgot_them_and_fail_one_by_one(redis: Redis) -> None:
    scripts = RedisScripts(redis)
    for _ in range(2):
        asked = [scripts.run("return {KEYS[1], ARGV[1]}", ["a"], [b"\xff"]), scripts.run("return nil + 1", [])]
        found, broken = await asyncio.gather(*asked, return_exceptions=True)
        assert found == [b"a", b"\xff"] and isinstance(broken, ResponseError)
        await redis.script_flush()
