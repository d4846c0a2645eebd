"""Add identity checks, and documents until Salesforce has them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "identity_checks",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("was_lost", sa.Boolean(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "identity_files",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("document_id"),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON identity_checks, identity_files TO portal_worker")
    op.execute("GRANT SELECT, INSERT, UPDATE ON identity_checks TO portal_web")
    # The web role can insert documents but not read them.
    op.execute("GRANT INSERT ON identity_files TO portal_web")
    for table in ("identity_checks", "identity_files"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY all_rows ON {table} TO portal_worker, portal_identity, CURRENT_USER USING (true)")
        op.execute(
            f"CREATE POLICY own_rows ON {table} TO portal_web "
            "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
        )


def downgrade() -> None:
    """Take back."""
    op.drop_table("identity_files")
    op.drop_table("identity_checks")
