"""Bring the database up to date, as its owner: our tables, then DBOS's, then who may enqueue."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from dbos import run_dbos_database_migrations

from portal_app.infra.settings import Settings

_ROOT = Path(__file__).resolve().parents[2]
_LOCK = 7_770_001
_DURABLE_GRANTS = (
    "GRANT USAGE ON SCHEMA dbos TO portal_identity, portal_web, portal_worker",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA dbos TO portal_worker",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA dbos TO portal_worker, portal_web, portal_identity",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA dbos TO portal_worker, portal_web, portal_identity",
    "GRANT SELECT, INSERT, UPDATE ON dbos.workflow_status TO portal_identity, portal_web",
    "GRANT INSERT, SELECT (workflow_uuid) ON dbos.workflow_input TO portal_identity, portal_web",
    "GRANT SELECT, INSERT ON dbos.notifications TO portal_identity, portal_web",
)


def migrate(settings: Settings) -> None:
    """Apply every migration that is missing. Two at once queue up; a second run changes nothing."""
    url = settings.database_url_for("owner")
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as lock:
        lock.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        command.upgrade(Config(str(_ROOT / "alembic.ini"), attributes={"url": url}), "head")
        run_dbos_database_migrations(url)
        with engine.connect() as connection:
            for statement in _DURABLE_GRANTS:
                connection.execute(sa.text(statement))


if __name__ == "__main__":
    migrate(Settings())
