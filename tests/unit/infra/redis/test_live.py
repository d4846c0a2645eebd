"""Live updates: what is published reaches every listener, also after Redis was away or the line was silent."""

import asyncio
from uuid import uuid4

from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.client import connect
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.local.servers.valkey import EmbeddedValkey
from tests.support.running.gate import gate_to
from tests.support.waiting import LONGEST_SECONDS


async def test_a_change_reaches_every_listener_also_after_a_restart_of_redis(own_valkey: EmbeddedValkey) -> None:
    clients = [connect(own_valkey.url(), seconds=0.25) for _ in range(3)]
    caches = [Cache(client) for client in clients]
    teller, *listeners = (LiveUpdates(*each) for each in zip(clients, caches, strict=True))
    received: asyncio.Queue[Change] = asyncio.Queue()

    async def listen(live: LiveUpdates) -> None:
        async for change in live.changes():
            await received.put(change)

    async def both_hear() -> None:
        change, heard = Change(uuid4(), "orders", uuid4().hex), 0
        while heard < 2:
            await teller.publish(change)
            await asyncio.sleep(0.05)
            changes = [received.get_nowait() for _ in range(received.qsize())]
            heard = max(heard, changes.count(change))

    tasks = [asyncio.create_task(listen(live)) for live in listeners]
    async with asyncio.timeout(LONGEST_SECONDS):
        await both_hear()
        own_valkey.stop()
        await teller.publish(Change(uuid4(), "orders"))
        own_valkey.start()
        await both_hear()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for client, cache in zip(clients, caches, strict=True):
        await cache.close()
        await client.aclose()


async def test_a_change_that_is_published_while_the_line_is_silent_arrives(redis_url: str) -> None:
    with gate_to(redis_url) as (gate, url):
        clients = connect(url, seconds=5, silence=1.0), connect(redis_url, seconds=5)
        caches = [Cache(client) for client in clients]
        listener, teller = (LiveUpdates(*each) for each in zip(clients, caches, strict=True))
        changes = listener.changes()

        async def heard(change: Change) -> None:
            while await anext(changes) != change:
                pass

        async with asyncio.timeout(LONGEST_SECONDS):
            first = Change(uuid4(), "orders")
            waiting = asyncio.create_task(heard(first))
            while not waiting.done():
                await teller.publish(first)
                await asyncio.sleep(0.05)
            gate.fall_silent()
            missed = Change(uuid4(), "orders")
            await teller.publish(missed)
            await heard(missed)
        await changes.aclose()
        for client, cache in zip(clients, caches, strict=True):
            await cache.close()
            await client.aclose()
