"""Add recovery tokens, sign-in attempts and migration of WHMCS clients."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Only the identity role has rights on these tables."""
    op.create_table(
        "entry_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_entry_tokens_email_index", "entry_tokens", ["email_index"])
    op.create_table(
        "sign_in_tries",
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("email_index"),
    )
    op.add_column("users", sa.Column("moved_client_id", sa.Integer(), nullable=True))
    op.create_unique_constraint("users_moved_client_id_key", "users", ["moved_client_id"])
    op.add_column("sign_ups", sa.Column("purpose", sa.String(), nullable=False, server_default="sign_up"))
    op.add_column("sign_ups", sa.Column("client_id", sa.Integer(), nullable=True))
    op.add_column("sign_ups", sa.Column("old_password_hash", sa.String(), nullable=True))
    op.add_column("sign_ups", sa.Column("customer_number", sa.String(length=9), nullable=True))
    for table in ("entry_tokens", "sign_in_tries"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO portal_identity")
        op.execute(f"GRANT SELECT, DELETE ON {table} TO portal_worker")


def downgrade() -> None:
    """Take back."""
    for column in ("customer_number", "old_password_hash", "client_id", "purpose"):
        op.drop_column("sign_ups", column)
    op.drop_column("users", "moved_client_id")
    op.drop_table("sign_in_tries")
    op.drop_table("entry_tokens")
