"""Extend idempotency keys to all calls that change something: claimed, then finished or released."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # Existing keys were hashed without a secret and have another route; they expire after a day, so they are deleted.
    op.execute("DELETE FROM idempotency_keys")
    op.add_column("idempotency_keys", sa.Column("status", sa.Integer(), nullable=True))
    op.add_column("idempotency_keys", sa.Column("claim", sa.Uuid(), nullable=True))
    op.execute("GRANT UPDATE, DELETE ON idempotency_keys TO portal_web")


def downgrade() -> None:
    """Take back."""
    op.execute("REVOKE UPDATE, DELETE ON idempotency_keys FROM portal_web")
    op.execute("DELETE FROM idempotency_keys")
    op.drop_column("idempotency_keys", "claim")
    op.drop_column("idempotency_keys", "status")
