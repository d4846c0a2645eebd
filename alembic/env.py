"""Alembic environment: migrations run as the owner role, without Reflex's database commands."""

import sqlalchemy as sa
from alembic import context

from portal_app.infra.settings import Settings
from portal_app.models.metadata import METADATA


def run() -> None:
    """Run migrations in one transaction over the owner's connection."""
    engine = sa.create_engine(
        context.config.attributes.get("url") or Settings().database_url_for("owner"),
        poolclass=sa.NullPool,
        connect_args={"options": "-c lock_timeout=5000"},
    )
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=METADATA)
        with context.begin_transaction():
            context.run_migrations()


run()
