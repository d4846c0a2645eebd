"""What each database role may see and change, asked of PostgreSQL itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors

from portal_app.infra.settings import DatabaseRole
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor
from tests.support.running.world import world

TABLES = [
    "id_mappings",
    "orders",
    "order_events",
    "idempotency_keys",
    "invoices_mirror",
    "subscriptions_mirror",
    "mirror_states",
    "audit",
    "profiles",
    "notices",
    "sim_reservations",
    "sim_lines",
    "sim_readings",
    "sim_calls",
    "top_ups",
    "line_alerts",
    "auto_top_ups",
    "line_orders",
    "internet_eligibility",
    "cancellations",
    "notification_choices",
    "calendar_links",
    "identity_checks",
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


# What stands in sealed columns does not matter here.
_RESERVE = """
INSERT INTO sim_reservations
  (order_id, user_id, number, number_index, iccid, product_number, eid, state, reserved_at)
SELECT id, user_id, 'x', id::text::bytea, 'x', 'x', 'x', 'waiting', now() FROM orders ON CONFLICT DO NOTHING
"""
_LINES = """
INSERT INTO sim_lines (service_id, user_id, state, reason, number, iccid, eid, body, checked_at)
SELECT 900000 + whmcs_client_id, user_id, 'refused', 'no_number', 'x', 'x', 'x', '{}', now() FROM id_mappings
ON CONFLICT DO NOTHING
"""
_READINGS = """
INSERT INTO sim_readings (service_id, day, user_id, used_bytes, source, is_set_aside, read_at)
SELECT 900000 + whmcs_client_id, '2026-01-01', user_id, 1, 'file', false, now() FROM id_mappings ON CONFLICT DO NOTHING
"""
_CALLS = """
INSERT INTO sim_calls (id, service_id, user_id, month, content)
SELECT user_id, 900000 + whmcs_client_id, user_id, '2026-01-01', 'x' FROM id_mappings ON CONFLICT DO NOTHING
"""
_TOP_UPS = """
INSERT INTO top_ups (id, user_id, service_id, line, gigabytes, total, currency, state, reason, gateway, data_sends,
  asked_at)
SELECT user_id, user_id, 900000 + whmcs_client_id, 'x', 1, 550, 'JPY', 'done', '', '', 0, now() FROM id_mappings
ON CONFLICT DO NOTHING
"""
_ALERTS = """
INSERT INTO line_alerts (service_id, kind, user_id, amount, unit, set_at, value, is_due)
SELECT 900000 + whmcs_client_id, 'left', user_id, 1024, 'mb', now(), 0, false FROM id_mappings ON CONFLICT DO NOTHING
"""
_AUTO = """
INSERT INTO auto_top_ups (service_id, user_id, gigabytes, threshold_mb, total, cap, currency, is_on, off_reason,
  changed_at)
SELECT 900000 + whmcs_client_id, user_id, 1, 1024, 550, 5500, 'JPY', false, 'you', now() FROM id_mappings
ON CONFLICT DO NOTHING
"""
_LINE_ORDERS = """
INSERT INTO line_orders (id, user_id, service_id, line, slot, kind, option, target, title, price, old_price, currency,
  state, reason, sends, asked_at)
SELECT user_id, user_id, 900000 + whmcs_client_id, 'x', 'line', 'network', '', '5G', '5G', 0, 0, 'JPY', 'done', '', 0,
  now() FROM id_mappings
ON CONFLICT DO NOTHING
"""
_CHOICES = """
INSERT INTO notification_choices (user_id, topic, portal, mail)
SELECT user_id, 'orders', true, true FROM id_mappings ON CONFLICT DO NOTHING
"""
_LINKS = """
INSERT INTO calendar_links (user_id, token_hash, created_at)
SELECT user_id, user_id::text::bytea, now() FROM id_mappings ON CONFLICT DO NOTHING
"""


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
        for path in ("/invoices", "/subscriptions", "/me", "/me/eligibility", "/me/identity-document"):
            assert (await somebody.get(f"/api{path}")).status_code == 200
    order = {"sku": "VPN-REMOTE-ACCESS-UK-LONDON", "terms_accepted": True}
    assert (await ben.call("POST", "/api/orders", order, Idempotency_Key=uuid4().hex)).status_code == 201
    service = (await ben.get("/api/subscriptions")).json()["items"][0]["id"]
    ending = f"/api/subscriptions/{service}/cancellation"
    if (await ben.get(ending)).status_code == 404:
        await ben.call("POST", ending, {"reason": "price"}, Idempotency_Key=uuid4().hex)
        assert (await ben.call("DELETE", ending, Idempotency_Key=uuid4().hex)).status_code == 200
    with psycopg.connect(world().postgres.url(), autocommit=True) as owner:
        inserts = (_RESERVE, _LINES, _READINGS, _CALLS, _TOP_UPS, _ALERTS, _AUTO, _LINE_ORDERS, _CHOICES, _LINKS)
        for row in inserts:
            owner.execute(row)
    read = portal.identity.sessions.read_access_token
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
async def test_no_role_can_bypass_row_security(role: DatabaseRole) -> None:
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


# What names a customer in a table of ours.
OWNER_COLUMNS = ("user_id", "customer_id", "customer_number", "whmcs_client_id", "sf_account_id", "email_index")
# Counted by the typed address, whether or not it has an account: these rows belong to no customer.
NOBODYS = {"sign_in_tries"}


def tables_of_customers() -> list[str]:
    """Return every table with a customer in it, as PostgreSQL's own catalogue has them."""
    query = (
        "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND column_name = ANY(%s) ORDER BY table_name"
    )
    with psycopg.connect(world().postgres.url()) as owner:
        return [row[0] for row in owner.execute(query, (list(OWNER_COLUMNS),)) if row[0] not in NOBODYS]


async def test_every_table_with_a_customer_in_it_forces_row_security_by_policy(portal: Portal) -> None:
    found = tables_of_customers()
    assert {"users", "profiles", "orders", "audit", "mails", "sessions"} <= set(found)
    with psycopg.connect(world().postgres.url()) as owner:
        secured = {
            name: (enabled, forced)
            for name, enabled, forced in owner.execute(
                "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class "
                "WHERE relnamespace = 'public'::regnamespace"
            )
        }
        policies: dict[str, set[str]] = {}
        for table, roles, condition in owner.execute("SELECT tablename, roles::text[], qual FROM pg_policies"):
            for role in roles:
                policies.setdefault(table, set()).add(f"{role}: {condition}")
    for table in found:
        assert secured[table] == (True, True), f"{table} does not force row-level security"
        for policy in policies[table]:
            # The web role sees only the rows of the customer named for the transaction; nobody else is "public".
            assert not policy.startswith("public:"), f"{table} has a policy for everybody"
            assert "portal.user_id" in policy or not policy.startswith("portal_web:"), f"{table}: {policy}"


async def test_web_has_no_rights_on_a_table_of_customers_without_a_policy_of_its_own(portal: Portal) -> None:
    with connected("web") as web:
        for table in tables_of_customers():
            may = web.execute("SELECT has_table_privilege(%s, 'SELECT')", (table,)).fetchone() == (True,)
            has_policy = web.execute(
                "SELECT count(*) FROM pg_policies WHERE tablename = %s AND 'portal_web' = ANY(roles)", (table,)
            ).fetchone() != (0,)
            assert has_policy or not may, f"web may read {table} without a policy"


async def test_the_audit_grants_only_select_and_insert(portal: Portal) -> None:
    query = (
        "SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = 'audit' "
        "AND grantee <> 'portal' AND grantee NOT IN (SELECT usename FROM pg_user WHERE usesuper)"
    )
    with psycopg.connect(world().postgres.url()) as owner:
        granted = set(owner.execute(query).fetchall())
    assert granted == {(f"portal_{role}", right) for role in ROLES for right in ("SELECT", "INSERT")}


async def test_cleanup_can_have_the_audit_of_strangers_deleted_and_of_nobody_else(owners: tuple[UUID, UUID]) -> None:
    stranger = "INSERT INTO audit (at, actor, tag, detail, address) VALUES (%s, 'you', 'x', '{}', '')"
    forget = "SELECT forget_strangers('2002-01-01', %s)"
    with connected("worker") as worker:
        worker.execute(stranger, (datetime(2001, 1, 1, tzinfo=UTC),))
        worker.execute(stranger, (datetime(2001, 1, 1, tzinfo=UTC),))
        assert [worker.execute(forget, (1,)).fetchone() for _ in range(3)] == [(1,), (1,), (0,)]
        kept = worker.execute("SELECT count(*) FROM audit WHERE user_id IS NOT NULL").fetchone()
        worker.execute("SELECT forget_strangers(now() + interval '1 day', 100000)")
        assert worker.execute("SELECT count(*) FROM audit WHERE user_id IS NOT NULL").fetchone() == kept != (0,)
    for role in ("web", "identity"):
        with connected(role) as other, pytest.raises(errors.InsufficientPrivilege):
            other.execute(forget, (1,))
