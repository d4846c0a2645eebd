"""Keep what SIM lines used, by day."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sim_readings",
        sa.Column("service_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("used_bytes", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("is_set_aside", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("service_id", "day"),
    )
    op.create_index("ix_sim_readings_user_id", "sim_readings", ["user_id"], unique=False)
    op.create_index("ix_sim_readings_day", "sim_readings", ["day"], unique=False)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON sim_readings TO portal_worker")
    op.execute("GRANT SELECT, INSERT, UPDATE ON sim_readings TO portal_web")
    op.execute("ALTER TABLE sim_readings ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE sim_readings FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY all_rows ON sim_readings TO portal_worker, CURRENT_USER USING (true)")
    op.execute(
        "CREATE POLICY own_rows ON sim_readings TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("sim_readings")
