"""First tables, database roles and row-level security."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLES = ("portal_identity", "portal_web", "portal_worker")
# Tables with row-level security: the web role sees only rows of the customer set for the transaction.
CUSTOMER_TABLES = (
    "id_mappings",
    "orders",
    "order_events",
    "idempotency_keys",
    "invoices_mirror",
    "subscriptions_mirror",
    "audit",
    "mails",
)
GRANTS = {
    "portal_identity": {
        "users": "SELECT, INSERT, UPDATE",
        "sign_ups": "SELECT, INSERT, UPDATE, DELETE",
        "sessions": "SELECT, INSERT, UPDATE",
        "refresh_tokens": "SELECT, INSERT, UPDATE, DELETE",
        "id_mappings": "SELECT",
        "audit": "SELECT, INSERT",
        "mails": "INSERT",
    },
    "portal_web": {
        "id_mappings": "SELECT",
        "orders": "SELECT, INSERT, UPDATE",
        "order_events": "SELECT, INSERT",
        "idempotency_keys": "SELECT, INSERT",
        "invoices_mirror": "SELECT, INSERT, UPDATE, DELETE",
        "subscriptions_mirror": "SELECT, INSERT, UPDATE, DELETE",
        "audit": "SELECT, INSERT",
        "mails": "INSERT",
        "inbox": "SELECT, INSERT",
        "replay_positions": "SELECT",
    },
    "portal_worker": {
        "users": "SELECT, INSERT, UPDATE",
        "sign_ups": "SELECT, DELETE",
        "sessions": "SELECT, DELETE",
        "refresh_tokens": "SELECT, DELETE",
        "id_mappings": "SELECT, INSERT",
        "orders": "SELECT, INSERT, UPDATE",
        "order_events": "SELECT, INSERT",
        "idempotency_keys": "SELECT, DELETE",
        "inbox": "SELECT, INSERT, UPDATE, DELETE",
        "replay_positions": "SELECT, INSERT, UPDATE",
        "invoices_mirror": "SELECT, INSERT, UPDATE, DELETE",
        "subscriptions_mirror": "SELECT, INSERT, UPDATE, DELETE",
        "audit": "SELECT, INSERT",
        "mails": "SELECT, INSERT, UPDATE, DELETE",
    },
}


def upgrade() -> None:
    """Apply."""
    _identity()
    _orders()
    _inbound()
    _mirrors()
    _records()
    op.execute("CREATE SEQUENCE customer_numbers START 10000001")
    _roles()
    _row_level_security()


def downgrade() -> None:
    """Take back. The roles stay: they belong to the whole server."""
    for table in (
        "audit",
        "mails",
        "invoices_mirror",
        "subscriptions_mirror",
        "inbox",
        "replay_positions",
        "order_events",
        "idempotency_keys",
        "orders",
        "refresh_tokens",
        "sessions",
        "id_mappings",
        "sign_ups",
        "users",
    ):
        op.drop_table(table)
    op.execute("DROP SEQUENCE customer_numbers")


def _identity() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("profile", sa.LargeBinary(), nullable=True),
        sa.Column("customer_number", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("customer_number"),
        sa.UniqueConstraint("email_index"),
    )
    op.create_table(
        "id_mappings",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("whmcs_client_id", sa.Integer(), nullable=False),
        sa.Column("sf_account_id", sa.String(length=18), nullable=False),
        sa.Column("sf_contact_id", sa.String(length=18), nullable=False),
        sa.Column("customer_number", sa.String(length=9), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("user_id"),
        sa.UniqueConstraint("customer_number"),
        sa.UniqueConstraint("sf_account_id"),
        sa.UniqueConstraint("sf_contact_id"),
        sa.UniqueConstraint("whmcs_client_id"),
    )
    op.create_table(
        "sign_ups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("attempts_left", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entries", sa.LargeBinary(), nullable=True),
        sa.Column("errors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("factors", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("predecessor", sa.LargeBinary(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"], unique=False)


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sf_order_id", sa.String(length=18), nullable=True),
        sa.Column("whmcs_order_id", sa.Integer(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("billing_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sf_order_id"),
        sa.UniqueConstraint("whmcs_order_id"),
    )
    op.create_index("ix_orders_user_id", "orders", ["user_id"], unique=False)
    op.create_table(
        "order_events",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("order_id", "attempt", "step"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("payload_hash", sa.LargeBinary(), nullable=False),
        sa.Column("resource_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("user_id", "route", "key"),
    )


def _inbound() -> None:
    op.create_table(
        "inbox",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source", "id"),
    )
    op.create_table(
        "replay_positions",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("replay_id", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("topic"),
    )


def _mirrors() -> None:
    op.create_table(
        "invoices_mirror",
        sa.Column("invoice_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("invoice_id"),
    )
    op.create_index("ix_invoices_mirror_user_id", "invoices_mirror", ["user_id"], unique=False)
    op.create_table(
        "subscriptions_mirror",
        sa.Column("service_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("service_id"),
    )
    op.create_index("ix_subscriptions_mirror_user_id", "subscriptions_mirror", ["user_id"], unique=False)


def _records() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_audit_user_id", "audit", ["user_id"], unique=False)
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.LargeBinary(), nullable=False),
        sa.Column("occasion", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )


def _roles() -> None:
    for role in ROLES:
        # Check for the role first: CREATE ROLE fails for an owner without that right even if the role exists.
        # The exceptions are ignored, because another database of this server may be migrated at the same time.
        op.execute(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} LOGIN; "
            "END IF; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        for table, rights in GRANTS[role].items():
            op.execute(f"GRANT {rights} ON {table} TO {role}")
        op.execute(f"GRANT USAGE ON SEQUENCE audit_id_seq TO {role}")
    op.execute("GRANT USAGE ON SEQUENCE customer_numbers TO portal_identity, portal_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")


def _row_level_security() -> None:
    for table in CUSTOMER_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_rows ON {table} TO portal_web "
            "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
        )
        op.execute(f"CREATE POLICY all_rows ON {table} TO portal_worker, portal_identity, CURRENT_USER USING (true)")
