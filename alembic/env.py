"""Migrate as the owner role; plain Alembic, never Reflex's own database commands."""

import sqlalchemy as sa
from alembic import context
from sqlmodel import SQLModel

from portal_app.infra.settings import Settings
from portal_app.models import inbound, mirror, order, record, session, user

TABLES = (inbound, mirror, order, record, session, user)


def run() -> None:
    """Run migrations in one transaction over the owner's connection."""
    engine = sa.create_engine(
        context.config.attributes.get("url") or Settings().database_url_for("owner"),
        poolclass=sa.NullPool,
        connect_args={"options": "-c lock_timeout=5000"},
    )
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=SQLModel.metadata)
        with context.begin_transaction():
            context.run_migrations()


run()
