"""Keep calls and SMS of SIM lines, sealed; count the readings of lines that are polled."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sim_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_sim_calls_user_id", "sim_calls", ["user_id"], unique=False)
    op.create_index("ix_sim_calls_month", "sim_calls", ["month"], unique=False)
    op.create_index("ix_sim_calls_service_id_month", "sim_calls", ["service_id", "month"], unique=False)
    op.create_table(
        "line_polls",
        sa.Column("service_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("service_id"),
    )
    # Pages only read the records; the worker imports and deletes them.
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON sim_calls TO portal_worker")
    op.execute("GRANT SELECT ON sim_calls TO portal_web")
    op.execute("ALTER TABLE sim_calls ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE sim_calls FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY all_rows ON sim_calls TO portal_worker, CURRENT_USER USING (true)")
    op.execute(
        "CREATE POLICY own_rows ON sim_calls TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON line_polls TO portal_worker")


def downgrade() -> None:
    """Take back."""
    op.drop_table("line_polls")
    op.drop_table("sim_calls")
