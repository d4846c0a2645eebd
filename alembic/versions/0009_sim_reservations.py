"""Add SIM reservations of orders."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sim_reservations",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("stock_id", sa.String(18), nullable=True),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("iccid", sa.LargeBinary(), nullable=False),
        sa.Column("product_number", sa.LargeBinary(), nullable=False),
        sa.Column("eid", sa.LargeBinary(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opening_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voice_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voice_done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("order_id"),
        sa.UniqueConstraint("stock_id"),
        sa.UniqueConstraint("number_index"),
        sa.UniqueConstraint("service_id"),
    )
    op.create_index("ix_sim_reservations_user_id", "sim_reservations", ["user_id"], unique=False)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON sim_reservations TO portal_worker")
    op.execute("GRANT SELECT, UPDATE ON sim_reservations TO portal_web")
    op.execute("ALTER TABLE sim_reservations ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE sim_reservations FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY all_rows ON sim_reservations TO portal_worker, portal_identity, CURRENT_USER USING (true)"
    )
    op.execute(
        "CREATE POLICY own_rows ON sim_reservations TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("sim_reservations")
