"""Add sessions.confirmed_at, the time of the last proof of identity."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Existing sessions need a new proof."""
    op.add_column(
        "sessions",
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("'epoch'")),
    )
    op.alter_column("sessions", "confirmed_at", server_default=None)


def downgrade() -> None:
    """Take back."""
    op.drop_column("sessions", "confirmed_at")
