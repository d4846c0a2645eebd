"""The durable queue: work exists if and only if its cause was committed."""

import json
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from portal_app.domain.errors import NotFound
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue, customer_of, order_of
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.current_customer import working_for
from portal_app.infra.tasks.current_order import set_current_order


async def inputs(worker: Database, workflow_id: str) -> list[str]:
    async with worker.unit_of_work() as session:
        query = sa.text("SELECT status FROM dbos.workflow_status WHERE workflow_uuid = :id")
        return list(await (await session.connection()).scalars(query, {"id": workflow_id}))


async def test_work_is_enqueued_when_its_transaction_commits(
    web: Database, worker: Database, queue: DurableQueue, user_id: UUID
) -> None:
    name = uuid4().hex
    async with web.unit_of_work(customer=user_id) as session:
        await queue.enqueue(session, "send_mail", name, "m1")
        assert await inputs(worker, name) == []
    assert await inputs(worker, name) == ["ENQUEUED"]
    assert await queue.status(name) == "ENQUEUED"


async def test_work_knows_the_customer_and_the_order_that_it_came_from(
    web: Database, worker: Database, queue: DurableQueue, user_id: UUID
) -> None:
    names = uuid4().hex, uuid4().hex
    async with web.unit_of_work() as session:
        with working_for(str(user_id)):
            set_current_order(names[1])
            await queue.enqueue(session, "send_mail", names[0], "m1")
        set_current_order("")
        await queue.enqueue(session, "send_mail", names[1], "m2")
    async with worker.unit_of_work() as session:
        query = sa.text("SELECT authenticated_roles FROM dbos.workflow_status WHERE workflow_uuid = :id")
        kept = [(await (await session.connection()).scalars(query, {"id": name})).one() for name in names]
    read = [json.loads(roles) if roles else None for roles in kept]
    assert [(customer_of(roles), order_of(roles)) for roles in read] == [(str(user_id), names[1]), ("", "")]


async def test_work_vanishes_with_a_transaction_that_fails(
    web: Database, worker: Database, queue: DurableQueue
) -> None:
    name = uuid4().hex
    with pytest.raises(NotFound):
        async with web.unit_of_work() as session:
            await queue.enqueue(session, "send_mail", name, "m1")
            raise NotFound
    assert await inputs(worker, name) == []
    assert await queue.status(name) is None


async def test_work_with_a_known_id_is_enqueued_once(web: Database, worker: Database, queue: DurableQueue) -> None:
    name = uuid4().hex
    for argument in ("first", "second"):
        async with web.unit_of_work() as session:
            await queue.enqueue(session, "send_mail", name, argument)
    async with worker.unit_of_work() as session:
        query = sa.text("SELECT inputs FROM dbos.workflow_input WHERE workflow_uuid = :id")
        (kept,) = await (await session.connection()).scalars(query, {"id": name})
    assert "first" in kept


async def test_identity_and_worker_may_enqueue_too(web: Database, worker: Database, queue: DurableQueue) -> None:
    first, second = uuid4().hex, uuid4().hex
    async with web.identity() as session:
        await queue.enqueue(session, "sign_up", first, "u1")
    async with worker.unit_of_work() as session:
        await queue.enqueue(session, "send_mail", second, "m1", delay_seconds=60)
    assert [await queue.status(name) for name in (first, second)] == ["ENQUEUED", "DELAYED"]


async def test_a_message_to_a_parked_workflow_is_sent_once_per_key(
    settings: Settings, web: Database, worker: Database, queue: DurableQueue
) -> None:
    name = uuid4().hex
    for _ in range(2):
        async with web.unit_of_work() as session:
            await queue.enqueue(session, "provision_order", name, "o1")
            await queue.send(session, name, "approved", topic="resume", key=f"{name}-1")
    async with worker.unit_of_work() as session:
        query = sa.text("SELECT count(*) FROM dbos.notifications WHERE destination_uuid = :id")
        assert await (await session.connection()).scalar(query, {"id": name}) == 1
