"""Make mirrors queryable in SQL: one row per customer and id, with the columns for sorting and searching, and age."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Existing mirror rows are deleted and read again, because they lack the new columns."""
    op.execute("DELETE FROM invoices_mirror")
    op.execute("DELETE FROM subscriptions_mirror")
    for table, number in (("invoices_mirror", "invoice_id"), ("subscriptions_mirror", "service_id")):
        # An invoice that moves to another client briefly has a row for both; neither sees the other's row.
        op.drop_constraint(f"{table}_pkey", table, type_="primary")
        op.create_primary_key(f"{table}_pkey", table, ["user_id", number])
        op.drop_index(f"ix_{table}_user_id", table)
        op.create_index(f"ix_{table}_{number}", table, [number])
    for column in (
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("owed_minor", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_gone", sa.Boolean(), nullable=False, server_default="false"),
    ):
        op.add_column("invoices_mirror", column)
    op.create_index("ix_invoices_mirror_issued", "invoices_mirror", ["user_id", "issued_on", "invoice_id"])
    op.create_index("ix_invoices_mirror_status", "invoices_mirror", ["user_id", "status", "due_on"])
    op.create_index("ix_subscriptions_mirror_order", "subscriptions_mirror", [sa.text("((body ->> 'order_id')::int)")])
    op.create_table(
        "mirror_states",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stale_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id", "kind"),
    )
    op.create_index("ix_mirror_states_read_at", "mirror_states", ["read_at"])
    op.execute("GRANT SELECT, INSERT, UPDATE ON mirror_states TO portal_web, portal_worker")
    op.execute("ALTER TABLE mirror_states ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE mirror_states FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY all_rows ON mirror_states TO portal_worker, portal_identity, CURRENT_USER USING (true)")
    op.execute(
        "CREATE POLICY own_rows ON mirror_states TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("mirror_states")
    op.execute("DELETE FROM invoices_mirror")
    op.execute("DELETE FROM subscriptions_mirror")
    op.drop_index("ix_subscriptions_mirror_order", "subscriptions_mirror")
    op.drop_index("ix_invoices_mirror_status", "invoices_mirror")
    op.drop_index("ix_invoices_mirror_issued", "invoices_mirror")
    for column in ("label", "status", "issued_on", "due_on", "total_minor", "owed_minor", "changed_at", "is_gone"):
        op.drop_column("invoices_mirror", column)
    for table, number in (("invoices_mirror", "invoice_id"), ("subscriptions_mirror", "service_id")):
        op.drop_constraint(f"{table}_pkey", table, type_="primary")
        op.create_primary_key(f"{table}_pkey", table, [number])
        op.drop_index(f"ix_{table}_{number}", table)
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])
