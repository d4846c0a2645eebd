"""Keep the alerts that customers set for their SIM lines, and what is bought for a line by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_RIGHTS = {"line_alerts": "SELECT, INSERT, UPDATE, DELETE", "auto_top_ups": "SELECT, INSERT, UPDATE"}


def upgrade() -> None:
    """Apply."""
    op.add_column("top_ups", sa.Column("is_automatic", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "line_alerts",
        sa.Column("service_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=10), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fired_month", sa.Date(), nullable=True),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("is_due", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("service_id", "kind"),
    )
    op.create_index("ix_line_alerts_due", "line_alerts", ["service_id"], postgresql_where=sa.text("is_due"))
    op.create_table(
        "auto_top_ups",
        sa.Column("service_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("gigabytes", sa.Integer(), nullable=False),
        sa.Column("threshold_mb", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("off_reason", sa.String(length=20), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("service_id"),
    )
    for table, rights in _RIGHTS.items():
        op.create_index(f"ix_{table}_user_id", table, ["user_id"], unique=False)
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO portal_worker")
        op.execute(f"GRANT {rights} ON {table} TO portal_web")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY all_rows ON {table} TO portal_worker, CURRENT_USER USING (true)")
        op.execute(
            f"CREATE POLICY own_rows ON {table} TO portal_web "
            "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
        )


def downgrade() -> None:
    """Take back."""
    op.drop_table("auto_top_ups")
    op.drop_table("line_alerts")
    op.drop_column("top_ups", "is_automatic")
