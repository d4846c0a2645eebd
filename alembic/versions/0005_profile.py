"""Add profiles and e-mail changes, and row-level security for every table with a customer."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The web role has no rights on these tables; row-level security is a second barrier.
IDENTITY_TABLES = ("users", "sign_ups", "sessions", "entry_tokens", "email_changes")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "profiles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kept", sa.LargeBinary(), nullable=True),
        sa.Column("wanted", sa.LargeBinary(), nullable=True),
        sa.Column("accepted", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_busy", sa.Boolean(), nullable=False),
        sa.Column("stands", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "email_changes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("attempts_left", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON profiles TO portal_web, portal_worker")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON email_changes TO portal_identity")
    op.execute("GRANT SELECT, DELETE ON email_changes TO portal_worker")
    _secure("profiles", web=True)
    for table in IDENTITY_TABLES:
        _secure(table, web=False)


def downgrade() -> None:
    """Take back."""
    for table in IDENTITY_TABLES:
        op.execute(f"DROP POLICY all_rows ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.drop_table("email_changes")
    op.drop_table("profiles")


def _secure(table: str, *, web: bool) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY all_rows ON {table} TO portal_worker, portal_identity, CURRENT_USER USING (true)")
    if web:
        op.execute(
            f"CREATE POLICY own_rows ON {table} TO portal_web "
            "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
        )
