"""Add files of customers in sealed parts, the files of cases, and copies of files that are fetched."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TABLES = ("uploads", "upload_parts", "support_files", "file_copies", "file_copy_parts")


def upgrade() -> None:
    """Apply."""
    _uploads()
    _case_files()
    _copies()
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON uploads TO portal_worker")
    op.execute("GRANT SELECT, INSERT, UPDATE ON uploads TO portal_web")
    op.execute("GRANT SELECT, INSERT, DELETE ON upload_parts TO portal_worker")
    # The web role writes what arrives and deletes it, and cannot read it.
    op.execute("GRANT INSERT, DELETE, SELECT (upload_id, version, number, user_id) ON upload_parts TO portal_web")
    for table in ("support_files", "file_copies", "file_copy_parts"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO portal_worker, portal_web")
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY all_rows ON {table} TO portal_worker, portal_identity, CURRENT_USER USING (true)")
        op.execute(
            f"CREATE POLICY own_rows ON {table} TO portal_web "
            "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
        )


def downgrade() -> None:
    """Take back."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("refusal", sa.String(), nullable=False),
        sa.Column("draft", sa.String(40), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("checked_parts", sa.Integer(), nullable=True),
        sa.Column("checked_size", sa.BigInteger(), nullable=True),
        sa.Column("md5", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sf_document_id", sa.String(18), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["message_id"], ["support_messages.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("user_id", "message_id", "sf_document_id"):
        op.create_index(f"ix_uploads_{column}", "uploads", [column], unique=False)
    op.create_table(
        "upload_parts",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("upload_id", "version", "number"),
    )
    # Ciphertext cannot be compressed.
    op.execute("ALTER TABLE upload_parts ALTER COLUMN content SET STORAGE EXTERNAL")


def _case_files() -> None:
    op.create_table(
        "support_files",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("sf_document_id", sa.String(18), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("entry", sa.String(18), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["support_cases.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("case_id", "sf_document_id"),
    )


def _copies() -> None:
    op.create_table(
        "file_copies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sf_document_id", sa.String(18), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("user_id", "created_at"):
        op.create_index(f"ix_file_copies_{column}", "file_copies", [column], unique=False)
    op.create_table(
        "file_copy_parts",
        sa.Column("copy_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["copy_id"], ["file_copies.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("copy_id", "number"),
    )
    op.execute("ALTER TABLE file_copy_parts ALTER COLUMN content SET STORAGE EXTERNAL")
