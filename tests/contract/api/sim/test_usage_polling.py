"""Polling of lines that nobody visits: off by default, spread over the day, counted where restarts do not forget."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
import sqlalchemy as sa

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.clock import now, today
from portal_app.models.line_poll import LinePoll
from portal_app.models.sim_line import SimLineRow
from portal_app.services.sim.usage_polling import UsagePolling
from portal_app.wiring.portal import Portal
from tests.contract.api.sim.conftest import DATA, FAMILY, VOICE, calls
from tests.support.clients.visitor import Visitor
from tests.support.running.world import world

READ = "mvno/getTrafficInfo/"


@pytest_asyncio.fixture
async def unread(worker: Portal, services: dict[str, int]) -> AsyncIterator[set[int]]:
    """Hana's linked lines as if nobody had read them since yesterday; nothing was polled before and after."""

    async def forget() -> None:
        async with worker.database.unit_of_work() as session:
            connection = await session.connection()
            await connection.execute(sa.delete(LinePoll))
            await connection.execute(sa.update(SimLineRow).values(read_at=now() - timedelta(days=1)))
        await worker.redis.delete("none", *await worker.redis.keys("c:freebit-usage:*"))

    await forget()
    yield {services[VOICE], services[DATA], services[FAMILY]}
    await forget()


def polling(worker: Portal, **settings: int) -> UsagePolling:
    """Return the service of a process that has just started."""
    own = worker.settings.model_copy(update=settings)
    return UsagePolling(own, worker.database, status=worker.sim.line_status, live=worker.live)


async def hours_pass(worker: Portal, service_id: int, hours: int, *, days: int = 0) -> None:
    async with worker.database.unit_of_work() as session:
        row = await session.get(LinePoll, service_id)
        assert row is not None
        row.polled_at, row.day = row.polled_at - timedelta(hours=hours), row.day - timedelta(days=days)


async def test_nothing_is_polled_by_default(worker: Portal, services: dict[str, int], unread: set[int]) -> None:
    assert worker.settings.freebit_poll_reads == 0 and await worker.sim.polling.due() == []
    before = await calls()
    async with worker.database.unit_of_work() as session:
        row = await session.get(SimLineRow, services[VOICE])
    assert row is not None and not await worker.sim.polling.read(row.user_id, services[VOICE])
    assert await calls() == before


async def test_a_batch_names_each_linked_line_until_it_is_read(
    sato: Visitor, worker: Portal, services: dict[str, int], unread: set[int]
) -> None:
    assert {service for _, service in await polling(worker, freebit_poll_reads=4).due()} >= unread
    assert len(await polling(worker, freebit_poll_reads=4, freebit_poll_batch=2).due()) == 2
    # What a page read needs no poll.
    await sato.get(f"/api/subscriptions/{services[FAMILY]}/sim")
    assert services[FAMILY] not in {service for _, service in await polling(worker, freebit_poll_reads=4).due()}


async def test_a_line_is_read_so_often_a_day_and_no_more_whatever_restarts_and_fails(
    sato: Visitor, worker: Portal, services: dict[str, int], unread: set[int]
) -> None:
    user_id = worker.identity.sessions.read_access_token(sato.cookie("access")).user_id
    service_id, before = services[DATA], (await calls()).get(READ, 0)
    done = []
    for _ in range(6):
        # Each time a new process; pressed twice, it reads once.
        done += [await polling(worker, freebit_poll_reads=4).read(user_id, service_id) for _ in range(2)]
        await hours_pass(worker, service_id, 7)
        await worker.redis.delete("none", *await worker.redis.keys("c:freebit-usage:*"))
    assert done == [True, False] * 4 + [False, False] * 2
    assert (await calls()).get(READ, 0) - before == 4
    await hours_pass(worker, service_id, 0, days=1)
    world().set_faults("freebit", down=True)
    with pytest.raises(ExternalUnavailable):
        await polling(worker, freebit_poll_reads=4).read(user_id, service_id)
    world().set_faults("freebit")
    await worker.redis.delete("breaker:{freebit}")
    assert not await polling(worker, freebit_poll_reads=4).read(user_id, service_id), "a read that failed counts"
    async with worker.database.unit_of_work() as session:
        row = await session.get(LinePoll, service_id)
    assert row is not None and (row.day, row.reads) == (today(), 1)
