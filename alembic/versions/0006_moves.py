"""Add sign_ups.password_tries_left, the attempts left for the WHMCS password."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("sign_ups", sa.Column("password_tries_left", sa.Integer(), nullable=False, server_default="5"))


def downgrade() -> None:
    """Take back."""
    op.drop_column("sign_ups", "password_tries_left")
