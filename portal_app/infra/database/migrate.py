"""Migrates the database as its owner: the portal's tables, DBOS's tables, then the grants on them."""

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from dbos import run_dbos_database_migrations

from portal_app.infra.settings import Settings
from portal_app.infra.start import read_settings_of_command

_ROOT = Path(__file__).resolve().parents[3]
_LOCK = 7_770_001
# Migrations grant rights to these roles, so they must exist before the first migration.
_ROLES = ("portal_identity", "portal_web", "portal_worker")
_MISSING_ROLES = sa.text(
    "SELECT name FROM unnest(CAST(:names AS text[])) AS name"
    " WHERE name NOT IN (SELECT rolname FROM pg_roles) ORDER BY 1"
)
_MAY_CREATE_ROLES = sa.text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
_DURABLE_GRANTS = (
    "GRANT USAGE ON SCHEMA dbos TO portal_identity, portal_web, portal_worker",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA dbos TO portal_worker",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA dbos TO portal_worker, portal_web, portal_identity",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA dbos TO portal_worker, portal_web, portal_identity",
    "GRANT SELECT, INSERT, UPDATE ON dbos.workflow_status TO portal_identity, portal_web",
    "GRANT INSERT, SELECT (workflow_uuid) ON dbos.workflow_input TO portal_identity, portal_web",
    "GRANT SELECT, INSERT ON dbos.notifications TO portal_identity, portal_web",
)
# Each process checks that the database fits its code.
_REVISION_GRANT = "GRANT SELECT ON alembic_version TO portal_identity, portal_web, portal_worker"


class RolesMissing(Exception):
    """The database roles of the processes are missing and the owner may not create them. Nothing was changed."""

    def __init__(self, owner: str, roles: list[str]) -> None:
        statements = "\n".join(f"CREATE ROLE {role} LOGIN;" for role in roles)
        super().__init__(
            f"Database roles are missing, and {owner}, who migrates, may not create roles. Nothing was changed.\n"
            f"Let a database administrator run, then migrate again:\n\n{statements}\n\n"
            "Where the server asks for passwords, deploy/create_roles.sh creates them with theirs."
        )


def migrate(settings: Settings) -> str:
    """Apply all missing migrations and return the result as a sentence for the terminal.

    Concurrent runs are serialised by an advisory lock; a repeated run changes nothing. Raises RolesMissing before
    anything is changed.
    """
    url = settings.database_url_for("owner")
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as lock:
        lock.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        _check_roles(lock)
        before = _revision(engine)
        command.upgrade(Config(str(_ROOT / "alembic.ini"), attributes={"url": url}), "head")
        run_dbos_database_migrations(url)
        with engine.connect() as connection:
            for statement in (*_DURABLE_GRANTS, _REVISION_GRANT):
                connection.execute(sa.text(statement))
        after = _revision(engine)
    if before == after:
        return f"The database is already at revision {after}."
    return f"The database is at revision {after} now, {f'it was at {before}' if before else 'it was empty'}."


def _check_roles(connection: sa.Connection) -> None:
    missing = list(connection.scalars(_MISSING_ROLES, {"names": list(_ROLES)}))
    if missing and not connection.scalar(_MAY_CREATE_ROLES):
        raise RolesMissing(str(connection.scalar(sa.text("SELECT current_user"))), missing)


def _revision(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


if __name__ == "__main__":
    try:
        sys.stdout.write(migrate(read_settings_of_command()) + "\n")
    except RolesMissing as error:
        sys.exit(str(error))
