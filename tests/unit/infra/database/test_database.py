"""The database: who may read and write which rows, and what happens while it is unavailable."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from portal_app.domain.errors import NotFound
from portal_app.infra.database.database import Database, DatabaseUnavailable
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.settings import Settings
from portal_app.local.servers.postgres import EmbeddedPostgres
from portal_app.models.order import OrderRow
from portal_app.services.audit import Tag, record
from tests.support.running.world import servers
from tests.support.values.users import new_user

COUNT_ORDERS = sa.text("SELECT count(*) FROM orders")


async def count(database: Database, customer: UUID | None = None, query: sa.TextClause = COUNT_ORDERS) -> int:
    async with database.unit_of_work(customer=customer) as session:
        return int(await (await session.connection()).scalar(query) or 0)


async def add_order(database: Database, user_id: UUID, *, under: UUID | None = None) -> UUID:
    async with database.unit_of_work(customer=under or user_id) as session:
        row = OrderRow(user_id=user_id, category="vpn", lines=[])
        session.add(row)
    return row.id


async def run(database: Database, statement: str, *, identity: bool = False, customer: UUID | None = None) -> None:
    async with database.identity() if identity else database.unit_of_work(customer=customer) as session:
        await (await session.connection()).execute(sa.text(statement))


async def test_the_web_role_sees_only_the_rows_of_the_customer_of_the_transaction(
    web: Database, worker: Database, ring: KeyRing
) -> None:
    one, other = await new_user(web, ring), await new_user(web, ring)
    await add_order(web, one)
    order = await add_order(web, other)
    assert await count(web) == 0
    assert (await count(web, one), await count(web, other)) == (1, 1)
    assert await count(worker) >= 2
    async with web.unit_of_work(customer=one) as session:
        assert await session.get(OrderRow, order) is None


async def test_the_web_role_can_neither_write_nor_move_a_row_to_somebody_else(web: Database, ring: KeyRing) -> None:
    one, other = await new_user(web, ring), await new_user(web, ring)
    await add_order(web, one)
    with pytest.raises(ProgrammingError, match="row-level security"):
        await add_order(web, other, under=one)
    with pytest.raises(ProgrammingError, match="row-level security"):
        await run(web, f"UPDATE orders SET user_id = '{other}'", customer=one)
    await run(web, "UPDATE orders SET category = 'sim'", customer=other)
    assert await count(web, one, sa.text("SELECT count(*) FROM orders WHERE category = 'vpn'")) == 1


async def test_a_pooled_connection_forgets_the_customer_after_commit_and_after_failure(
    settings: Settings, web: Database, ring: KeyRing
) -> None:
    one = await new_user(web, ring)
    await add_order(web, one)
    database = Database(settings, "web")
    for _ in range(12):
        assert await count(database, one) == 1
        with pytest.raises(NotFound):
            async with database.unit_of_work(customer=one):
                raise NotFound
    assert await asyncio.gather(*(count(database) for _ in range(12))) == [0] * 12
    await database.close()


@pytest.mark.parametrize("table", ["users", "sessions", "refresh_tokens", "sign_ups"])
async def test_the_web_role_cannot_read_identities(web: Database, table: str, user_id: UUID) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        await run(web, f"SELECT * FROM {table}", customer=user_id)


@pytest.mark.parametrize("table", ["orders", "invoices_mirror", "subscriptions_mirror", "idempotency_keys", "inbox"])
async def test_the_identity_role_cannot_read_what_customers_have(web: Database, table: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        await run(web, f"SELECT * FROM {table}", identity=True)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET tag = 'x'", "DELETE FROM audit", "TRUNCATE audit", "DROP TABLE audit"]
)
async def test_no_role_can_change_the_audit(web: Database, worker: Database, user_id: UUID, statement: str) -> None:
    for database, identity in ((web, False), (worker, False), (web, True)):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            await run(database, statement, identity=identity, customer=None if identity else user_id)


async def test_the_audit_is_written_with_its_cause_or_not_at_all(web: Database, user_id: UUID) -> None:
    audited = sa.text("SELECT count(*) FROM audit")
    async with web.unit_of_work(customer=user_id) as session:
        record(session, Tag.ORDER_PLACED, user_id=user_id)
    with pytest.raises(NotFound):
        async with web.unit_of_work(customer=user_id) as session:
            record(session, Tag.ORDER_PLACED, user_id=user_id)
            raise NotFound
    assert await count(web, user_id, audited) == 1


async def test_a_database_error_shows_no_values(web: Database, ring: KeyRing, user_id: UUID) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with web.unit_of_work(customer=user_id) as session:
            session.add(OrderRow(user_id=user_id, category="secret value", lines=[], sf_order_id="1"))
            session.add(OrderRow(user_id=user_id, category="vpn", lines=[], sf_order_id="1"))
    assert "secret value" not in str(caught.value)


async def test_a_read_only_database_is_unavailable(web: Database, user_id: UUID) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with web.unit_of_work(customer=user_id) as session:
            await (await session.connection()).execute(sa.text("SET TRANSACTION READ ONLY"))
            session.add(OrderRow(user_id=user_id, category="vpn", lines=[]))


async def test_a_connection_cut_in_the_middle_of_a_transaction_is_unavailable_and_then_well_again(
    web: Database, postgres: EmbeddedPostgres, user_id: UUID
) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with web.unit_of_work(customer=user_id) as session:
            connection = await session.connection()
            pid = await connection.scalar(sa.text("SELECT pg_backend_pid()"))
            with psycopg.connect(postgres.url(), autocommit=True) as owner:
                owner.execute("SELECT pg_terminate_backend(%s)", (pid,))
            await connection.execute(sa.text("SELECT 1"))
    assert await count(web, user_id) == 0


async def test_a_full_pool_is_unavailable_after_a_wait(settings: Settings, ring: KeyRing) -> None:
    database = Database(settings.model_copy(update={"database_wait": 0.2}), "web")
    async with AsyncExitStack() as held:
        for _ in range(10):
            session = await held.enter_async_context(database.unit_of_work())
            await session.connection()
        with pytest.raises(DatabaseUnavailable):
            await count(database)
    assert await count(database) == 0
    await database.close()


async def test_a_stopped_server_is_unavailable_and_its_return_is_noticed(
    web: Database, worker: Database, postgres: EmbeddedPostgres
) -> None:
    await web.ping()
    postgres.stop()
    try:
        for database in (web, worker):
            with pytest.raises(DatabaseUnavailable) as caught:
                await database.ping()
            assert caught.value.retryable
            assert caught.value.status == 503
    finally:
        postgres.start()
    await web.ping()
    assert await count(worker) >= 0


async def test_a_programming_error_is_not_reported_as_unavailable(web: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        await run(web, "SELECT nonsense")
    assert not isinstance(caught.value, DatabaseUnavailable)


async def test_an_unavailable_database_says_why_in_the_words_of_postgresql() -> None:
    url = f"{servers().postgres.url().rpartition('/')[0]}/nowhere"
    database = Database(Settings(portal_env="development", database_url=url), "web")
    with pytest.raises(DatabaseUnavailable, match=r'OperationalError: .*FATAL:  database "nowhere" does not exist'):
        await database.ping()
    await database.close()
