"""Add fibre eligibility of customers' addresses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "internet_eligibility",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("offers", postgresql.JSONB(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("check_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("is_handed_over", sa.Boolean(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON internet_eligibility TO portal_web, portal_worker")
    op.execute("ALTER TABLE internet_eligibility ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE internet_eligibility FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY all_rows ON internet_eligibility TO portal_worker, portal_identity, CURRENT_USER USING (true)"
    )
    op.execute(
        "CREATE POLICY own_rows ON internet_eligibility TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("internet_eligibility")
