"""Add announcements and their followers, counts of the help, and questions of people without an account."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "announcements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("words", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("services", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("areas", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updates", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_announcements_begins_at", "announcements", ["begins_at"])
    op.create_table(
        "incident_followers",
        sa.Column("announcement_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["announcement_id"], ["announcements.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("announcement_id", "user_id"),
    )
    op.create_table(
        "help_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("word", sa.String(80), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "kind", "word"),
    )
    op.create_table(
        "contact_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("GRANT SELECT ON announcements TO portal_web")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON announcements TO portal_worker")
    op.execute("GRANT SELECT, INSERT, DELETE ON incident_followers TO portal_web")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON incident_followers TO portal_worker")
    op.execute("GRANT SELECT, INSERT, UPDATE ON help_counts TO portal_web")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON help_counts TO portal_worker")
    # Written once its address is proven, which the role for sign-ups knows; read by the worker alone.
    op.execute("GRANT INSERT ON contact_messages TO portal_identity")
    op.execute("GRANT SELECT, UPDATE, DELETE ON contact_messages TO portal_worker")
    op.execute("ALTER TABLE incident_followers ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE incident_followers FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY all_rows ON incident_followers TO portal_worker, CURRENT_USER USING (true)")
    op.execute(
        "CREATE POLICY own_rows ON incident_followers TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )


def downgrade() -> None:
    """Take back."""
    for table in ("contact_messages", "help_counts", "incident_followers", "announcements"):
        op.drop_table(table)
