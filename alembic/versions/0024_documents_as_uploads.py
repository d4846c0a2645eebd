"""Take identity documents as uploads, and drop the table of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("uploads", sa.Column("is_document", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("identity_checks", sa.Column("refusal", sa.String(), nullable=False, server_default=""))
    # A sealed document is bound to its table, so one that Salesforce does not have yet cannot be moved: the customer
    # is asked for it again.
    op.execute(
        "UPDATE identity_checks SET was_lost = true, status = 'not_submitted', submitted_at = NULL "
        "WHERE handed_over_at IS NULL AND document_id IN (SELECT document_id FROM identity_files)"
    )
    op.drop_table("identity_files")


def downgrade() -> None:
    """Take back."""
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
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON identity_files TO portal_worker")
    op.execute("GRANT INSERT ON identity_files TO portal_web")
    op.execute("ALTER TABLE identity_files ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE identity_files FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY all_rows ON identity_files TO portal_worker, portal_identity, CURRENT_USER USING (true)")
    op.execute(
        "CREATE POLICY own_rows ON identity_files TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )
    op.drop_column("identity_checks", "refusal")
    op.drop_column("uploads", "is_document")
