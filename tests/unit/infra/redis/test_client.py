"""Connections to Redis behind a line that holds them and forwards nothing."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as ConnectionLost

from portal_app.infra.redis.client import connect, connect_for_pages
from tests.support.running.gate import gate_to
from tests.support.waiting import LONGEST_SECONDS


async def test_a_subscription_that_listens_without_end_hears_late_news_and_ends_with_the_line(redis_url: str) -> None:
    with gate_to(redis_url) as (gate, url):
        pages, teller = connect_for_pages(url, silence=0.4), connect(redis_url, seconds=5)
        async with pages.pubsub() as heard, asyncio.timeout(LONGEST_SECONDS):
            await heard.psubscribe("test:silence:*")
            messages = heard.listen()
            assert (await anext(messages))["type"] == "psubscribe"
            # Longer than the line may be silent.
            late = asyncio.get_running_loop().call_later(
                1.0, lambda: asyncio.ensure_future(teller.publish("test:silence:1", "news"))
            )
            assert (await anext(messages))["data"] == b"news"
            late.cancel()
            gate.fall_silent()
            with pytest.raises(ConnectionLost):
                await anext(messages)
        await teller.aclose()
        await pages.aclose()


async def test_a_command_for_a_page_is_answered_over_a_new_connection(redis_url: str) -> None:
    with gate_to(redis_url) as (gate, url):
        pages = connect_for_pages(url, silence=1.0)
        await pages.set("test:silence", "kept", ex=60)
        gate.fall_silent()
        async with asyncio.timeout(LONGEST_SECONDS):
            assert await pages.get("test:silence") == b"kept"
        await pages.aclose()
