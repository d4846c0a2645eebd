"""What each database role may see and change, asked of PostgreSQL itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors

from portal_app.infra.settings import DatabaseRole
from portal_app.wiring import Portal
from tests.contract.api.visitor import Visitor
from tests.world import world

TABLES = [
    "id_mappings",
    "orders",
    "order_events",
    "idempotency_keys",
    "invoices_mirror",
    "subscriptions_mirror",
    "audit",
]
ROLES: list[DatabaseRole] = ["identity", "web", "worker"]
IDENTITY_TABLES = [
    "users",
    "sign_ups",
    "sessions",
    "refresh_tokens",
    "authenticators",
    "recovery_codes",
    "passkeys",
    "challenges",
    "pending_sign_ins",
]


@contextmanager
def connected(role: DatabaseRole, *, customer: UUID | None = None) -> Iterator[psycopg.Connection]:
    """Speak to PostgreSQL as a role, for one transaction that is rolled back."""
    url = world().settings.database_url_for(role).replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        if customer is not None:
            connection.execute("SELECT set_config('portal.user_id', %s, true)", (str(customer),))
        yield connection
        connection.rollback()


@pytest.fixture
async def owners(ben: Visitor, aiko: Visitor, portal: Portal) -> tuple[UUID, UUID]:
    """Let both customers have rows in the mirrors, and Ben an order; return their ids."""
    for somebody in (ben, aiko):
        for path in ("/api/invoices", "/api/subscriptions", "/api/me"):
            assert (await somebody.get(path)).status_code == 200
    order = {"sku": "VPN-REMOTE-ACCESS-UK-LONDON"}
    assert (await ben.call("POST", "/api/orders", order, Idempotency_Key=uuid4().hex)).status_code == 201
    read = portal.sessions.read
    return read(ben.cookie("access")).user_id, read(aiko.cookie("access")).user_id


@pytest.mark.parametrize("table", TABLES)
async def test_web_sees_nothing_until_a_customer_is_named(owners: tuple[UUID, UUID], table: str) -> None:
    with connected("worker") as all_seeing, connected("web") as web:
        assert all_seeing.execute(f"SELECT count(*) FROM {table}").fetchone() != (0,)
        assert web.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        web.execute("SELECT set_config('portal.user_id', '', true)")
        assert web.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@pytest.mark.parametrize("table", TABLES)
async def test_web_sees_only_the_rows_of_the_customer_named(owners: tuple[UUID, UUID], table: str) -> None:
    ben, aiko = owners
    for customer in (ben, aiko, uuid4()):
        with connected("web", customer=customer) as web:
            seen = {row[0] for row in web.execute(f"SELECT user_id FROM {table}")}
        assert seen <= {customer}
        assert seen or customer != ben


async def test_web_cannot_write_rows_of_another_customer(owners: tuple[UUID, UUID]) -> None:
    ben, aiko = owners
    insert = "INSERT INTO idempotency_keys (user_id, route, key, payload_hash, resource_id, created_at) " + (
        "VALUES (%s, 'orders.place', gen_random_uuid()::text, '', '', now())"
    )
    with connected("web", customer=aiko) as web:
        with pytest.raises(errors.InsufficientPrivilege):
            web.execute(insert, (ben,))
        web.rollback()
    with connected("web", customer=aiko) as web:
        assert web.execute("UPDATE orders SET stage = 'active' WHERE user_id = %s", (ben,)).rowcount == 0
    with connected("web") as web, pytest.raises(errors.InsufficientPrivilege):
        web.execute(insert, (ben,))


@pytest.mark.parametrize("table", IDENTITY_TABLES)
async def test_web_cannot_read_users_or_credentials(table: str) -> None:
    with connected("web") as web, pytest.raises(errors.InsufficientPrivilege):
        web.execute(f"SELECT * FROM {table}")


@pytest.mark.parametrize("table", ["orders", "invoices_mirror", "subscriptions_mirror", "inbox"])
async def test_identity_cannot_read_what_is_not_identity(table: str) -> None:
    with connected("identity") as identity, pytest.raises(errors.InsufficientPrivilege):
        identity.execute(f"SELECT * FROM {table}")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET tag = 'x'", "DELETE FROM audit", "TRUNCATE audit", "DROP TABLE audit"]
)
async def test_no_role_can_change_or_delete_the_audit(role: DatabaseRole, statement: str) -> None:
    with connected(role) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize("role", ROLES)
async def test_no_role_can_step_over_row_security(role: DatabaseRole) -> None:
    with connected(role) as connection:
        rights = "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = user"
        assert connection.execute(rights).fetchone() == (False,)
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("ALTER TABLE orders DISABLE ROW LEVEL SECURITY")
    with connected(role) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE public.mine (id int)")


async def test_a_pooled_connection_forgets_the_customer_before(owners: tuple[UUID, UUID], portal: Portal) -> None:
    count = sa.text("SELECT count(*) FROM orders")
    for _ in range(12):
        async with portal.database.unit_of_work(customer=owners[0]) as session:
            assert await (await session.connection()).scalar(count) > 0
        async with portal.database.unit_of_work() as session:
            assert await (await session.connection()).scalar(count) == 0
