"""Keep the data that customers buy for their SIM lines."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_TIMES = (
    "invoice_tried_at", "invoiced_at", "capture_tried_at", "confirm_until", "paid_at", "data_sent_at", "delivered_at",
    "ended_at",
)  # fmt: skip
_UNSETTLED = (
    "state IN ('asked', 'checked', 'invoiced', 'compared', 'charging', 'confirm', 'asking', 'unclear', 'stopping')"
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "top_ups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("gigabytes", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("data_sends", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in _TIMES),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for name in ("user_id", "service_id", "invoice_id"):
        op.create_index(f"ix_top_ups_{name}", "top_ups", [name], unique=False)
    op.create_index(
        "ix_top_ups_unsettled", "top_ups", ["service_id"], unique=True, postgresql_where=sa.text(_UNSETTLED)
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON top_ups TO portal_worker")
    op.execute("GRANT SELECT, INSERT ON top_ups TO portal_web")
    op.execute("ALTER TABLE top_ups ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE top_ups FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY all_rows ON top_ups TO portal_worker, CURRENT_USER USING (true)")
    op.execute(
        "CREATE POLICY own_rows ON top_ups TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("top_ups")
