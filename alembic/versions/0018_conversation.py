"""Add what conversations need: further attempts, closings and ratings, merged cases, mail threads, answer times."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_FILLED = {"support_messages": ("attempt", "kind"), "support_cases": ("told_id", "threading_id", "mail_ids")}


def upgrade() -> None:
    """Apply."""
    # Nothing ever wrote it: the states of the messages tell.
    op.drop_column("support_cases", "sending")
    op.add_column("support_messages", sa.Column("attempt", sa.String(), nullable=False, server_default=""))
    op.add_column("support_messages", sa.Column("kind", sa.String(), nullable=False, server_default="text"))
    op.add_column("support_cases", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.create_foreign_key("support_cases_merged_into_fkey", "support_cases", "support_cases", ["merged_into"], ["id"])
    op.add_column("support_cases", sa.Column("team_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE support_cases SET team_at = last_activity_at WHERE last_by = 'team'")
    op.add_column("support_cases", sa.Column("told_id", sa.String(), nullable=False, server_default=""))
    op.add_column("support_cases", sa.Column("threading_id", sa.String(), nullable=False, server_default=""))
    op.add_column("support_cases", sa.Column("answer_due_at", sa.DateTime(timezone=True), nullable=True))
    mail_ids = sa.Column("mail_ids", sa.dialects.postgresql.JSONB(), nullable=False, server_default="[]")
    op.add_column("support_cases", mail_ids)
    for table, names in _FILLED.items():
        for name in names:
            op.alter_column(table, name, server_default=None)
    op.create_table(
        "support_status_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["support_cases.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_support_status_lines_case_id", "support_status_lines", ["case_id"], unique=False)
    op.create_table(
        "support_answer_times",
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("category"),
    )
    op.execute("GRANT SELECT, INSERT ON support_status_lines TO portal_worker, portal_web")
    op.execute("GRANT SELECT, INSERT, UPDATE ON support_answer_times TO portal_worker")
    op.execute("GRANT SELECT ON support_answer_times TO portal_web")
    op.execute("ALTER TABLE support_status_lines ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE support_status_lines FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY all_rows ON support_status_lines TO portal_worker, portal_identity, CURRENT_USER USING (true)"
    )
    op.execute(
        "CREATE POLICY own_rows ON support_status_lines TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("support_answer_times")
    op.drop_table("support_status_lines")
    for name in ("mail_ids", "answer_due_at", "threading_id", "told_id", "team_at", "merged_into"):
        op.drop_column("support_cases", name)
    for name in ("kind", "attempt"):
        op.drop_column("support_messages", name)
    op.add_column("support_cases", sa.Column("sending", sa.Uuid(), nullable=True))
