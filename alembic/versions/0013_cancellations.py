"""Add cancellations, notification preferences, reminders and calendar links."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TABLES = ("cancellations", "notification_choices", "reminders", "calendar_links")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "cancellations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("service_name", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("comment", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("sends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_cancellations_user_id", "cancellations", ["user_id"], unique=False)
    op.create_index("ix_cancellations_state", "cancellations", ["state"], unique=False)
    op.create_index(
        "ix_cancellations_open",
        "cancellations",
        ["user_id", "service_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('scheduled', 'sending', 'sent')"),
    )
    op.create_table(
        "notification_choices",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.String(20), nullable=False),
        sa.Column("portal", sa.Boolean(), nullable=False),
        sa.Column("mail", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id", "topic"),
    )
    op.create_table(
        "reminders",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("source_id", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id", "kind", "source_id"),
    )
    op.create_table(
        "calendar_links",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON cancellations TO portal_worker, portal_web")
    op.execute("GRANT SELECT ON notification_choices TO portal_worker")
    op.execute("GRANT SELECT, INSERT, UPDATE ON notification_choices TO portal_web")
    # Only the schedule sends reminders; the cleanup job deletes old rows.
    op.execute("GRANT SELECT, INSERT, DELETE ON reminders TO portal_worker")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_links TO portal_web")
    # The customer of a calendar link is looked up before a customer is set for the transaction.
    op.execute("GRANT SELECT ON calendar_links TO portal_identity, portal_worker")
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY all_rows ON {table} TO portal_worker, portal_identity, CURRENT_USER USING (true)")
        op.execute(
            f"CREATE POLICY own_rows ON {table} TO portal_web "
            "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
        )


def downgrade() -> None:
    """Take back."""
    for table in reversed(_TABLES):
        op.drop_table(table)
