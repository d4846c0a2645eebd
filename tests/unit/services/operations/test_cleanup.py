"""Cleanup with many orders: every order is checked, and the work grows with the orders that are due."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.services.operations import cleanup
from portal_app.services.operations.cleanup import Cleanup
from portal_app.services.provisioning.stuck_orders import StuckOrders

_ORDERS = sa.text("""
INSERT INTO orders (id, user_id, category, stage, lines, placed_at, updated_at, sf_order_id, attempt)
SELECT gen_random_uuid(), :user, 'vpn', 'in_review', '[]', :now, CAST(:now AS timestamptz) - n * interval '1 day',
    CAST(:prefix AS text) || n, 1
FROM generate_series(1, :count) AS n
""")


@pytest.fixture
async def unfinished(worker: Database, user_id: UUID) -> AsyncIterator[UUID]:
    """Seven orders in review, the n-th of them unchanged for n days."""
    await run(worker, _ORDERS, user=user_id, now=now() - timedelta(hours=50), count=7, prefix=prefix_of(user_id))
    yield user_id
    # The worker deletes no orders: they end.
    await run(worker, sa.text("UPDATE orders SET stage = 'cancelled' WHERE user_id = :user"), user=user_id)


def prefix_of(user_id: UUID) -> str:
    return user_id.hex[:10]


async def run(database: Database, statement: Any, **values: object) -> Any:
    async with database.unit_of_work() as session:
        done = await (await session.connection()).execute(statement, values)
        return done.all() if done.returns_rows else None


@contextmanager
def counted_rows(database: Database) -> Iterator[list[int]]:
    """Count the rows that each statement brings."""
    counts: list[int] = []

    def count(_: Any, cursor: Any, *__: Any) -> None:
        counts.append(cursor.rowcount)

    engine = database._main.sync_engine
    sa.event.listen(engine, "after_cursor_execute", count)
    yield counts
    sa.event.remove(engine, "after_cursor_execute", count)


async def test_every_unfinished_order_is_checked_the_oldest_first(
    worker: Database, unfinished: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "ORDERS_AT_ONCE", 3)
    turns = [await Cleanup(worker).unfinished_orders(turn) for turn in range(6)]
    assert turns[0] == [f"{prefix_of(unfinished)}{n}" for n in (7, 6, 5)]
    assert [len(turn) for turn in turns] == [3, 3, 1, 3, 3, 1]
    assert len({order for turn in turns[:3] for order in turn}) == 7
    assert turns[3:] == turns[:3]


def stuck_orders(worker: Database) -> StuckOrders:
    parts: Any = SimpleNamespace(database=worker)
    return StuckOrders(parts, parts)


async def test_a_case_about_one_order_reads_one_order(worker: Database, unfinished: UUID) -> None:
    stuck = stuck_orders(worker)
    found = await stuck.found()
    assert len([each for each in found if not each.has_case]) >= 7
    with counted_rows(worker) as counts:
        one = await stuck._stuck(found[0].id)
    assert one == found[0]
    assert all(count <= 1 for count in counts)


async def test_the_last_step_of_an_order_excludes_its_case(worker: Database, unfinished: UUID) -> None:
    ((order_id,), *_) = await run(worker, sa.text("SELECT id FROM orders WHERE user_id = :user"), user=unfinished)
    for age, step in ((3, "placed"), (2, "approved"), (1, "case_opened")):
        values = {"order": order_id, "user": unfinished, "step": step, "at": now() - timedelta(hours=age)}
        event = "INSERT INTO order_events (order_id, attempt, step, user_id, at, source, detail) "
        await run(worker, sa.text(event + "VALUES (:order, 1, :step, :user, :at, 'system', '')"), **values)
    async with worker.unit_of_work() as session:
        assert await StuckOrders._last_steps(session, [order_id]) == {order_id: ("approved", True)}


async def test_steps_are_read_for_more_orders_than_a_statement_has_parameters(worker: Database) -> None:
    async with worker.unit_of_work() as session:
        assert await StuckOrders._last_steps(session, [uuid4() for _ in range(70_000)]) == {}
