"""PostgreSQL behind a line that holds its connections and forwards nothing: given up, told, and replaced."""

import asyncio
import threading
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from portal_app.infra.database.connections import NoAnswer, connector
from portal_app.infra.database.database import Database, DatabaseUnavailable
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.settings import Settings
from portal_app.jobs.leader import lead
from tests.support.running.gate import Gate, gate_to
from tests.support.waiting import LONGEST_SECONDS

_DEADLINE = 2.0


@pytest.fixture
def behind(settings: Settings) -> Iterator[tuple[Gate, Settings]]:
    """Yield a gate to PostgreSQL, and settings with a short deadline that lead through it."""
    with gate_to(settings.database_url) as (gate, url):
        changes = {"database_url": url, "database_answer_seconds": _DEADLINE}
        yield gate, settings.model_copy(update=changes)


async def ask(database: Database) -> None:
    async with database.unit_of_work() as session:
        await (await session.connection()).execute(sa.text("SELECT 1"))


async def ask_identity(database: Database) -> None:
    async with database.identity() as session:
        await (await session.connection()).execute(sa.text("SELECT 1"))


async def test_a_silent_pool_is_told_as_unavailable_once_and_then_replaced(behind: tuple[Gate, Settings]) -> None:
    gate, settings = behind
    database = Database(settings, "web")
    await asyncio.gather(ask(database), ask(database), ask_identity(database))
    gate.fall_silent()
    async with asyncio.timeout(LONGEST_SECONDS):
        with pytest.raises(DatabaseUnavailable):
            await ask(database)
        # No other connection of that time is tried, of either pool.
        await asyncio.gather(ask(database), ask(database), ask_identity(database), ask_identity(database))
    await database.close()


async def test_the_queues_connection_is_replaced(behind: tuple[Gate, Settings]) -> None:
    gate, settings = behind
    queue = DurableQueue(settings, "worker")
    assert await queue.status("nothing") is None
    gate.fall_silent()
    async with asyncio.timeout(LONGEST_SECONDS):
        assert await queue.status("nothing") is None
    queue.close()


def test_listening_goes_on_while_there_is_nothing_to_hear_and_ends_with_the_line(
    behind: tuple[Gate, Settings],
) -> None:
    gate, settings = behind
    settings = settings.model_copy(update={"database_answer_seconds": 0.3})
    heard: list[str] = []
    first, over = threading.Event(), threading.Event()
    connection = connector(settings, "worker", name="test")()
    connection.autocommit = True
    connection.execute("LISTEN test_silence")

    def listen() -> None:
        try:
            for notice in connection.notifies():
                heard.append(notice.payload)
                first.set()
        except NoAnswer:
            over.set()

    threading.Thread(target=listen, daemon=True).start()
    with psycopg.connect(settings.database_url.replace(f":{gate.port}", f":{gate.server_port}")) as other:
        other.autocommit = True
        # Longer than the deadline.
        other.execute("SELECT pg_sleep(1)")
        other.execute("NOTIFY test_silence, 'news'")
    assert first.wait(LONGEST_SECONDS) and heard == ["news"]
    gate.fall_silent()
    assert over.wait(LONGEST_SECONDS)


async def test_a_leader_whose_line_is_silent_stops_and_the_next_is_elected(
    settings: Settings, behind: tuple[Gate, Settings]
) -> None:
    gate, through = behind
    begun, ended = [asyncio.Event(), asyncio.Event()], asyncio.Event()

    async def first() -> None:
        begun[0].set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def second() -> None:
        assert ended.is_set()
        begun[1].set()
        await asyncio.Event().wait()

    old = asyncio.create_task(lead(through, "listener", first))
    async with asyncio.timeout(LONGEST_SECONDS):
        await begun[0].wait()
        new = asyncio.create_task(lead(settings, "listener", second, retry_seconds=0.1))
        gate.fall_silent(also_to_new=True)
        await begun[1].wait()
    for task in (old, new):
        task.cancel()
    await asyncio.gather(old, new, return_exceptions=True)
