"""Find sign-ups by their address; let sign-out end calendar links, and cleanup delete the audit of strangers."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

FORGET_STRANGERS = """
CREATE FUNCTION forget_strangers(before timestamptz, most integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
WITH gone AS (
    DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE user_id IS NULL AND at < before LIMIT most) RETURNING 1
)
SELECT count(*)::integer FROM gone
$$
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("sign_ups", sa.Column("email_index", sa.LargeBinary(), nullable=True))
    op.create_index("ix_sign_ups_email_index", "sign_ups", ["email_index"])
    op.execute("GRANT DELETE ON calendar_links TO portal_identity")
    # No role may delete from the audit. What strangers tried is kept for a while: the worker can ask for its deletion,
    # and for nothing else.
    op.execute(FORGET_STRANGERS)
    op.execute("REVOKE ALL ON FUNCTION forget_strangers(timestamptz, integer) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION forget_strangers(timestamptz, integer) TO portal_worker")
    # What cleanup looks for: rows that are neither new nor of an account.
    op.execute("CREATE INDEX ix_audit_strangers ON audit (at) WHERE user_id IS NULL")
    op.execute("CREATE INDEX ix_mails_created_at ON mails (created_at)")
    op.execute("CREATE INDEX ix_inbox_received_at ON inbox (received_at)")


def downgrade() -> None:
    """Take back."""
    op.execute("DROP INDEX ix_inbox_received_at")
    op.execute("DROP INDEX ix_mails_created_at")
    op.execute("DROP INDEX ix_audit_strangers")
    op.execute("DROP FUNCTION forget_strangers(timestamptz, integer)")
    op.execute("REVOKE DELETE ON calendar_links FROM portal_identity")
    op.drop_index("ix_sign_ups_email_index", "sign_ups")
    op.drop_column("sign_ups", "email_index")
