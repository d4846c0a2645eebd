"""Keep the changes of SIM lines that customers ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_TIMES = (
    "sends_at", "sent_at", "accepted_at", "polled_at", "shown_at", "bill_from", "order_tried_at", "accept_tried_at",
    "end_tried_at", "correct_tried_at", "ended_at",
)  # fmt: skip
_UNSETTLED = (
    "state IN ('queued', 'held', 'sending', 'changing', 'booked', 'ordering', 'accepting', 'ending', 'rebilling', "
    "'correcting', 'asking')"
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "line_orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("option", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("old_product_id", sa.Integer(), nullable=True),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("old_price", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("billed_order_id", sa.Integer(), nullable=True),
        sa.Column("billed_service_id", sa.Integer(), nullable=True),
        sa.Column("correction", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in _TIMES),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for name in ("user_id", "service_id"):
        op.create_index(f"ix_line_orders_{name}", "line_orders", [name], unique=False)
    op.create_index(
        "ix_line_orders_unsettled",
        "line_orders",
        ["service_id", "slot"],
        unique=True,
        postgresql_where=sa.text(_UNSETTLED),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON line_orders TO portal_worker")
    # A customer withdraws what was not sent yet.
    op.execute("GRANT SELECT, INSERT, UPDATE ON line_orders TO portal_web")
    op.execute("ALTER TABLE line_orders ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE line_orders FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY all_rows ON line_orders TO portal_worker, CURRENT_USER USING (true)")
    op.execute(
        "CREATE POLICY own_rows ON line_orders TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("line_orders")
