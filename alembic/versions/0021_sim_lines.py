"""Link SIM lines to services, and keep changes of lines and their locks."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sim_lines",
        sa.Column("service_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("number_index", sa.LargeBinary(), nullable=True),
        sa.Column("iccid", sa.LargeBinary(), nullable=False),
        sa.Column("eid", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reconciled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("service_id"),
        sa.UniqueConstraint("number_index"),
    )
    op.create_index("ix_sim_lines_user_id", "sim_lines", ["user_id"], unique=False)
    op.create_index("ix_sim_lines_reconciled_at", "sim_lines", ["reconciled_at"], unique=False)
    op.create_table(
        "line_changes",
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wanted", sa.dialects.postgresql.JSONB(), nullable=True),
        sa.Column("is_at_most", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("line", "kind"),
    )
    op.create_index("ix_line_changes_held_until", "line_changes", ["held_until"], unique=False)
    # The worker links; a page saves what it read of a line that is linked.
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON sim_lines TO portal_worker")
    op.execute("GRANT SELECT, UPDATE ON sim_lines TO portal_web")
    # Rows of line_changes name nobody: the line is a keyed hash.
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON line_changes TO portal_worker, portal_web")
    op.execute("ALTER TABLE sim_lines ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE sim_lines FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY all_rows ON sim_lines TO portal_worker, CURRENT_USER USING (true)")
    op.execute(
        "CREATE POLICY own_rows ON sim_lines TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("line_changes")
    op.drop_table("sim_lines")
