"""Add notices, the messages inside the portal."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "notices",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(80), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id", "kind", "source_id"),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON notices TO portal_worker")
    op.execute("GRANT SELECT, INSERT, UPDATE ON notices TO portal_web")
    op.execute("ALTER TABLE notices ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE notices FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY all_rows ON notices TO portal_worker, portal_identity, CURRENT_USER USING (true)")
    op.execute(
        "CREATE POLICY own_rows ON notices TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("notices")
