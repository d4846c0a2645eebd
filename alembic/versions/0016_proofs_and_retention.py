"""Find sign-ups by their address; let sign-out end calendar links, and cleanup delete the audit of strangers."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("sign_ups", sa.Column("email_index", sa.LargeBinary(), nullable=True))
    op.create_index("ix_sign_ups_email_index", "sign_ups", ["email_index"])
    op.execute("GRANT DELETE ON calendar_links TO portal_identity")
    # The audit of an account is never deleted. What strangers tried is kept for a while.
    op.execute("GRANT DELETE ON audit TO portal_worker")
    op.execute(
        "CREATE POLICY strangers_only ON audit AS RESTRICTIVE FOR DELETE TO portal_worker USING (user_id IS NULL)"
    )
    # What cleanup looks for: rows that are neither new nor of an account.
    op.execute("CREATE INDEX ix_audit_strangers ON audit (at) WHERE user_id IS NULL")
    op.execute("CREATE INDEX ix_mails_created_at ON mails (created_at)")
    op.execute("CREATE INDEX ix_inbox_received_at ON inbox (received_at)")


def downgrade() -> None:
    """Take back."""
    op.execute("DROP INDEX ix_inbox_received_at")
    op.execute("DROP INDEX ix_mails_created_at")
    op.execute("DROP INDEX ix_audit_strangers")
    op.execute("DROP POLICY strangers_only ON audit")
    op.execute("REVOKE DELETE ON audit FROM portal_worker")
    op.execute("REVOKE DELETE ON calendar_links FROM portal_identity")
    op.drop_index("ix_sign_ups_email_index", "sign_ups")
    op.drop_column("sign_ups", "email_index")
