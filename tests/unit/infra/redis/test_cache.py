"""The cache: one computation at a time, no stale value stored, bypassed when Redis is down."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from portal_app.infra.redis.cache import Cache, Entry
from portal_app.infra.redis.client import connect
from portal_app.local.servers.valkey import EmbeddedValkey
from tests.support.running.gate import gate_to
from tests.support.waiting import LONGEST_SECONDS


class Upstream:
    """A slow source that counts its calls."""

    def __init__(self, answer: object = "value") -> None:
        self.answer, self.calls = answer, 0
        self.began, self.go_on = asyncio.Event(), asyncio.Event()

    async def quick(self) -> object:
        self.calls += 1
        await asyncio.sleep(0.02)
        return self.answer

    async def held(self) -> object:
        self.calls += 1
        self.began.set()
        answer = self.answer
        await self.go_on.wait()
        return answer


@pytest.fixture
def key() -> str:
    return uuid4().hex


@pytest.fixture
def cache(redis: Redis) -> Cache:
    return Cache(redis)


@pytest.fixture
async def other_cache(redis_url: str) -> AsyncIterator[Cache]:
    """The cache of another process: a client and memory of its own."""
    # On a busy machine a healthy server may seem down, and then every caller computes for itself.
    client = connect(redis_url, seconds=10)
    yield Cache(client)
    await client.aclose()


async def test_callers_of_one_key_share_one_computation_over_all_processes(
    cache: Cache, other_cache: Cache, key: str
) -> None:
    upstream = Upstream({"a": [1, None, "ō"]})
    calls = [
        each.get_or_set(key, upstream.quick, seconds=60, tags=("t",))
        for each in (cache, other_cache)
        for _ in range(50)
    ]
    assert await asyncio.gather(*calls) == [{"a": [1, None, "ō"]}] * 100
    assert upstream.calls == 1


async def test_a_cancelled_caller_does_not_cancel_the_shared_computation(cache: Cache, key: str) -> None:
    upstream = Upstream()
    first, second = (asyncio.create_task(cache.get_or_set(key, upstream.held, seconds=60)) for _ in range(2))
    await upstream.began.wait()
    first.cancel()
    upstream.go_on.set()
    assert await second == "value"
    assert upstream.calls == 1


@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_a_value_computed_before_an_invalidation_is_never_stored(
    cache: Cache, other_cache: Cache, key: str, where: str
) -> None:
    upstream = Upstream("old")
    flight = asyncio.create_task(cache.get_or_set(key, upstream.held, seconds=60, tags=(key,)))
    await upstream.began.wait()
    await (cache if where == "here" else other_cache).invalidate(key)
    upstream.answer = "new"
    upstream.go_on.set()
    assert await flight == "old"
    for each in (cache, other_cache):
        assert await each.get_or_set(key, upstream.quick, seconds=60, tags=(key,)) == "new"
    assert upstream.calls == 2


async def test_a_caller_after_an_invalidation_does_not_join_an_older_computation(cache: Cache, key: str) -> None:
    upstream = Upstream("old")
    flight = asyncio.create_task(cache.get_or_set(key, upstream.held, seconds=60, tags=(key,)))
    await upstream.began.wait()
    await cache.invalidate(key)
    upstream.answer = "new"
    assert await cache.get_or_set(key, upstream.quick, seconds=60, tags=(key,)) == "new"
    upstream.go_on.set()
    assert await flight == "old"


async def test_an_invalidation_leaves_other_tags(cache: Cache, key: str) -> None:
    upstream = Upstream()
    await cache.get_or_set(key, upstream.quick, seconds=60, tags=(key,))
    await cache.invalidate("somebody-else")
    await cache.get_or_set(key, upstream.quick, seconds=60, tags=(key,))
    assert upstream.calls == 1


async def test_a_failure_reaches_all_who_wait_and_is_not_kept(
    cache: Cache, other_cache: Cache, redis: Redis, key: str
) -> None:
    async def fail() -> object:
        await asyncio.sleep(0.02)
        raise LookupError("away")

    outcomes = await asyncio.gather(
        *(cache.get_or_set(key, fail, seconds=60) for _ in range(5)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [LookupError] * 5
    assert await redis.keys(f"l:c:{key}:*") == [], "the lease was not given back"
    assert await other_cache.get_or_set(key, Upstream("well").quick, seconds=60) == "well"


async def test_a_hung_redis_delays_no_caller_and_is_skipped_by_the_next(own_valkey: EmbeddedValkey, key: str) -> None:
    client = connect(own_valkey.url(), seconds=0.25)
    cache, upstream = Cache(client), Upstream()
    await client.ping()
    assert own_valkey._process is not None
    os.kill(own_valkey._process.pid, signal.SIGSTOP)
    try:
        # Redis is paused until the end of this test.
        async with asyncio.timeout(LONGEST_SECONDS):
            assert await cache.get_or_set(key, upstream.quick, seconds=60) == "value"
        assert not cache.is_exact and await cache.peek_bytes(Entry(key)) is None
    finally:
        os.kill(own_valkey._process.pid, signal.SIGCONT)
        await client.aclose()


async def test_after_a_restart_values_are_cached_and_missed_invalidations_are_sent(
    own_valkey: EmbeddedValkey, key: str
) -> None:
    client, reader = connect(own_valkey.url(), seconds=0.25), connect(own_valkey.url(), seconds=0.25)
    cache, elsewhere = Cache(client, away_seconds=0.1), Cache(reader, away_seconds=0.1)
    upstream = Upstream("old")
    await cache.get_or_set(key, upstream.quick, seconds=60, tags=(key,))
    own_valkey.stop()
    await cache.invalidate(key)
    upstream.answer = "new"
    assert await cache.get_or_set(key, upstream.quick, seconds=60, tags=(key,)) == "new"
    own_valkey.port = int(own_valkey.url().rpartition(":")[2].partition("/")[0])
    own_valkey.start()
    async with asyncio.timeout(LONGEST_SECONDS):
        while await elsewhere.get_or_set(key, upstream.quick, seconds=60, tags=(key,)) != "new":
            await asyncio.sleep(0.05)
    calls = upstream.calls
    await elsewhere.get_or_set(key, upstream.quick, seconds=60, tags=(key,))
    assert upstream.calls == calls
    await client.aclose()
    await reader.aclose()


async def test_a_stopping_process_sends_its_pending_invalidations(redis: Redis, redis_url: str, key: str) -> None:
    upstream, elsewhere = Upstream("old"), Cache(redis)
    await elsewhere.get_or_set(key, upstream.quick, seconds=60, tags=(key,))
    with gate_to(redis_url) as (gate, url):
        client = connect(url, seconds=10)
        cache = Cache(client, away_seconds=60)
        gate.close()
        await cache.invalidate(key)
        upstream.answer = "new"
        assert await elsewhere.get_or_set(key, upstream.quick, seconds=60, tags=(key,)) == "old"
        gate.open()
        await cache.close()
        await client.aclose()
    assert await elsewhere.get_or_set(key, upstream.quick, seconds=60, tags=(key,)) == "new"


async def test_a_value_without_expiry_stays_and_leaves_no_tag_entries(cache: Cache, redis: Redis, key: str) -> None:
    upstream = Upstream()
    for _ in range(3):
        await cache.get_or_set(key, upstream.quick, seconds=None, tags=(key,))
        await cache.get_or_set(key, upstream.quick, seconds=None, tags=(key,))
        (name,) = await redis.keys(f"c:{key}:*")
        assert await redis.ttl(name) == -1
        await cache.invalidate(key)
    assert upstream.calls == 3
