"""Add the options of orders, and order drafts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("orders", sa.Column("draft_id", sa.Uuid(), nullable=True))
    op.create_unique_constraint("orders_draft_id_key", "orders", ["draft_id"])
    op.add_column("orders", sa.Column("options", sa.LargeBinary(), nullable=True))
    op.add_column("orders", sa.Column("address", sa.LargeBinary(), nullable=True))
    op.add_column("orders", sa.Column("terms_version", sa.String(), nullable=True))
    op.create_table(
        "order_drafts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.String(180), nullable=False),
        sa.Column("answers", sa.LargeBinary(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id"),
        sa.UniqueConstraint("draft_id"),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON order_drafts TO portal_web, portal_worker")
    op.execute("ALTER TABLE order_drafts ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE order_drafts FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY all_rows ON order_drafts TO portal_worker, portal_identity, CURRENT_USER USING (true)")
    op.execute(
        "CREATE POLICY own_rows ON order_drafts TO portal_web "
        "USING (user_id = NULLIF(current_setting('portal.user_id', true), '')::uuid)"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("order_drafts")
    for column in ("terms_version", "address", "options"):
        op.drop_column("orders", column)
    op.drop_constraint("orders_draft_id_key", "orders")
    op.drop_column("orders", "draft_id")
