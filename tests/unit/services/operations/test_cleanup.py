"""Cleanup with many orders: every order is checked, and the work grows with the orders that are due."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.settings import Settings
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


@pytest.fixture
def worker_queue(settings: Settings) -> Iterator[DurableQueue]:
    queue = DurableQueue(settings, "worker")
    yield queue
    queue.close()


@pytest.fixture
def cleaning(settings: Settings, worker: Database, worker_queue: DurableQueue) -> Cleanup:
    return Cleanup(settings, worker, worker_queue)


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
    cleaning: Cleanup, unfinished: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "ORDERS_AT_ONCE", 3)
    turns = [await cleaning.unfinished_orders(turn) for turn in range(6)]
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


# What cleanup looks at, per table: how to make a row of that age in days, and the age up to which it is kept.
_SESSION = (
    "INSERT INTO sessions (id, user_id, factors, browser, address, created_at, used_at, confirmed_at, expires_at, "
)
_AGED = {
    "mails": (
        "INSERT INTO mails (id, recipient, occasion, content, language, created_at, sent_at) "
        "VALUES (gen_random_uuid(), ''::bytea, :mark, ''::bytea, '', :at, :at)",
        "SELECT count(*) FROM mails WHERE occasion = :mark",
        30,
    ),
    "mails never sent": (
        "INSERT INTO mails (id, recipient, occasion, content, language, created_at) "
        "VALUES (gen_random_uuid(), ''::bytea, :mark, ''::bytea, '', :at)",
        "SELECT count(*) FROM mails WHERE occasion = :mark",
        30,
    ),
    "audit of strangers": (
        "INSERT INTO audit (at, actor, tag, detail, address) VALUES (:at, 'you', :mark, '{}', '')",
        "SELECT count(*) FROM audit WHERE tag = :mark",
        90,
    ),
    "audit of an account": (
        "INSERT INTO audit (user_id, at, actor, tag, detail, address) VALUES (:user, :at, 'you', :mark, '{}', '')",
        "SELECT count(*) FROM audit WHERE tag = :mark",
        10**4,
    ),
    "notices": (
        "INSERT INTO notices (user_id, kind, source_id, subject, path, at) "
        "VALUES (:user, :mark, gen_random_uuid()::text, '', '', :at)",
        "SELECT count(*) FROM notices WHERE kind = :mark",
        365,
    ),
    "events that were applied": (
        "INSERT INTO inbox (source, id, kind, data, received_at, handled_at) "
        "VALUES (:mark, gen_random_uuid()::text, 'x', '{}', :at, :at)",
        "SELECT count(*) FROM inbox WHERE source = :mark",
        30,
    ),
    "events that were not": (
        "INSERT INTO inbox (source, id, kind, data, received_at) "
        "VALUES (:mark, gen_random_uuid()::text, 'x', '{}', :at)",
        "SELECT count(*) FROM inbox WHERE source = :mark",
        10**4,
    ),
    "sessions that ended": (
        _SESSION + "ended_at, ended_because) VALUES "
        "(gen_random_uuid(), :user, :mark, '', '', :at, :at, :at, 'infinity', :at, '')",
        "SELECT count(*) FROM sessions WHERE factors = :mark",
        400,
    ),
    "sessions that ran out": (
        _SESSION + "ended_because) VALUES (gen_random_uuid(), :user, :mark, '', '', :at, :at, :at, :at, '')",
        "SELECT count(*) FROM sessions WHERE factors = :mark",
        400,
    ),
    "tokens of a session that ended": (
        "WITH s AS (" + _SESSION + "ended_at, ended_because) VALUES "
        "(gen_random_uuid(), :user, :mark, '', '', :at, :at, :at, 'infinity', :at, '') RETURNING id) "
        "INSERT INTO refresh_tokens (token_hash, session_id, issued_at, closed) "
        "SELECT gen_random_uuid()::text::bytea, id, :at, false FROM s",
        "SELECT count(*) FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE s.factors = :mark",
        1,
    ),
    "tokens of an open session that were used": (
        "WITH s AS (" + _SESSION + "ended_because) VALUES "
        "(gen_random_uuid(), :user, :mark, '', '', :at, :at, :at, 'infinity', '') RETURNING id) "
        "INSERT INTO refresh_tokens (token_hash, session_id, issued_at, used_at, closed) "
        "SELECT gen_random_uuid()::text::bytea, id, :at, :at, true FROM s",
        "SELECT count(*) FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE s.factors = :mark",
        30,
    ),
    "changes of an address": (
        "INSERT INTO email_changes (user_id, email, code_hash, attempts_left, expires_at) "
        "VALUES (:user, ''::bytea, ''::bytea, 1, :at) ON CONFLICT (user_id) DO UPDATE SET expires_at = :at",
        "SELECT count(*) FROM email_changes WHERE user_id = :user",
        1,
    ),
}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "ROWS_AT_ONCE", 2)


@pytest.mark.parametrize("kind", _AGED)
async def test_cleanup_deletes_what_is_older_than_it_is_kept_and_nothing_younger(
    settings: Settings, worker: Database, cleaning: Cleanup, user_id: UUID, kind: str
) -> None:
    insert, count, kept_days = _AGED[kind]
    one_per_user, mark, left = kind.startswith("changes"), uuid4().hex, []
    owner = Database(settings, "owner")
    for age in (timedelta(days=kept_days, hours=-1), timedelta(days=kept_days, hours=1)):
        at = max(now() - age, datetime(1970, 1, 2, tzinfo=UTC))
        for _ in range(1 if one_per_user else 5):
            await run(owner, sa.text(insert), mark=mark, user=user_id, at=at)
        await cleaning.delete_expired()
        left.append((await run(worker, sa.text(count), mark=mark, user=user_id))[0][0])
    # Other tests share the database, and read mails.
    if "JOIN" not in count:
        await run(owner, sa.text(count.replace("SELECT count(*)", "DELETE")), mark=mark, user=user_id)
    await owner.close()
    young = 1 if one_per_user else 5
    assert left == ([young, 0] if one_per_user else [young, young * 2] if kept_days == 10**4 else [young, young])


async def test_workflows_that_ended_long_ago_are_deleted_in_batches_and_waiting_ones_never(
    worker: Database, worker_queue: DurableQueue
) -> None:
    queue, mark = worker_queue, uuid4().hex
    for number, (status, days) in enumerate([("SUCCESS", 91), ("ERROR", 91), ("PENDING", 91), ("SUCCESS", 89)]):
        name = f"{mark}-{number}"
        async with worker.unit_of_work() as session:
            await queue.enqueue(session, "no_such_workflow", name, name)
        ended = int((now() - timedelta(days=days)).timestamp() * 1000)
        change = "UPDATE dbos.workflow_status SET status = :status, completed_at = :ended WHERE workflow_uuid = :name"
        await run(worker, sa.text(change), status=status, ended=ended, name=name)
    before = now() - timedelta(days=90)
    assert [await queue.delete_ended(before=before, most=1) for _ in range(3)] == [1, 1, 0]
    for table in ("workflow_status", "workflow_input"):
        names = await run(
            worker,
            sa.text(f"SELECT workflow_uuid FROM dbos.{table} WHERE workflow_uuid LIKE :mark ORDER BY 1"),
            mark=f"{mark}%",
        )
        assert [row[0][-1] for row in names] == ["2", "3"]
