"""Checks before a process begins: what no restart corrects ends it with 78 and names the setting."""

import re
import socket
from typing import Literal

import psycopg

from portal_app.frontend_files import client_folder
from portal_app.infra.database.keepalive import CLIENT_PARAMETERS
from portal_app.infra.database.schema import READ_REVISION, Schema, schema_at
from portal_app.infra.production import Finding
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.settings import DatabaseRole, Settings
from portal_app.infra.start import refuse_to_start

# Words of PostgreSQL: libpq hands on no code for a connection that was refused.
_REFUSED = re.compile(
    r"FATAL:\s+((?:password authentication failed|role .* does not exist|database .* does not exist|no pg_hba\.conf"
    r"|permission denied for database).*)|fe_sendauth: (no password supplied)"
)
_SECONDS = 3


def check_keys(settings: Settings) -> None:
    """Refuse a key ring that cannot be used."""
    try:
        KeyRing.parse(settings.portal_keys.get_secret_value(), "", current=settings.portal_key_current)
    except ValueError as error:
        # The ring says which id is wrong, never a key.
        refuse_to_start(Finding("PORTAL_KEYS", f"and PORTAL_KEY_CURRENT must fit: {error}"))


def check_database(settings: Settings, role: Literal["web", "worker"]) -> None:
    """Refuse an address or password that PostgreSQL refuses; a worker also refuses a schema that is behind.

    A server that is away is no fault of the settings: the process begins and waits for it.
    """
    roles: tuple[DatabaseRole, ...] = ("identity", role)
    faults = [fault for each in roles if (fault := _fault_of(settings, each, needs_schema=role == "worker"))]
    if faults:
        refuse_to_start(*faults)


def check_frontend() -> None:
    """Refuse to serve pages that are not built."""
    folder = client_folder()
    if not (folder / "404.html").is_file():
        refuse_to_start(
            Finding("REFLEX_WEB_WORKDIR", f"must lead to built pages: {folder} has none. Build them with the image")
        )


def check_port(settings: Settings) -> None:
    """Refuse a port that another process serves: the kernel would share it silently between both."""
    family = socket.AF_INET6 if ":" in settings.portal_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.portal_host, settings.portal_port))
        except OSError as error:
            place = f"{settings.portal_host}:{settings.portal_port}"
            refuse_to_start(
                Finding("PORTAL_PORT", f"(and PORTAL_HOST) must be free: {place} cannot be bound: {error.strerror}")
            )


def _fault_of(settings: Settings, role: DatabaseRole, *, needs_schema: bool) -> Finding | None:
    url = settings.database_url_for(role).replace("postgresql+psycopg://", "postgresql://")
    try:
        with psycopg.connect(url, connect_timeout=_SECONDS, **CLIENT_PARAMETERS) as connection:
            schema = _schema_of(connection) if needs_schema and role == "worker" else None
    except psycopg.OperationalError as error:
        refused = _REFUSED.search(str(error))
        reason = f"must be accepted by PostgreSQL, which says: {refused[1] or refused[2]}" if refused else ""
        return Finding(f"DATABASE_{role.upper()}_URL", reason) if reason else None
    if schema is None or schema.state != "behind":
        return None
    return Finding(f"DATABASE_{role.upper()}_URL", f"must lead to a database that fits: {schema.reason}")


def _schema_of(connection: psycopg.Connection) -> Schema:
    try:
        row = connection.execute(READ_REVISION).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        row = None
    return schema_at(str(row[0]) if row else None)
