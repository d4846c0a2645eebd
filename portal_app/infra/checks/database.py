"""Checks of PostgreSQL: each role is let in with its rights and no more; schema, clock and connections fit."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from psycopg.rows import dict_row

from portal_app.infra.checks.check import Check, Problem, Process, Unfit
from portal_app.infra.clock import host_seconds
from portal_app.infra.database.connections import async_connector
from portal_app.infra.database.schema import READ_REVISION, schema_at
from portal_app.infra.production import is_loopback
from portal_app.infra.settings import DatabaseRole, Settings

_OLDEST = 150_000
# Vendors refuse logins and signatures whose time is minutes off.
_CLOCK_TOLD, _CLOCK_WRONG = 5.0, 60.0
# What one process opens at most: pools of Database (10 for each of two roles, twice that in a worker or listener), of
# the queue (2), of DBOS (10 and its listener) and locks.
_OF_WEB_WORKER, _OF_WORKER, _OF_LISTENER = 22, 55, 43
# Words of PostgreSQL and of libpq, which hands on no code for a connection that was refused. Only what stands here is
# final: everything else may be better in a moment.
_REFUSALS: tuple[tuple[str, str], ...] = (
    (r"password authentication failed.*", "Correct the password in {setting}, or give the role this one."),
    (r"no password supplied", "Put the role's password into {setting}."),
    (r"role .* does not exist", "Create the role with deploy/create_roles.sh, or correct {setting}."),
    (r"database .* does not exist", "Create the database as its owner's, or correct its name in {setting}."),
    (r"no pg_hba\.conf.*", "Let this host and role in with a line in PostgreSQL's pg_hba.conf, then reload it."),
    (r"permission denied for database.*", "Run GRANT CONNECT ON DATABASE for the role."),
    (r"unsupported startup parameter.*", "Lead {setting} to PostgreSQL itself: a connection pooler drops its locks."),
    (r"server does not support SSL.*", "Switch ssl on in postgresql.conf, or change sslmode in {setting}."),
    (r"root certificate file .* does not exist", "Name the CA with sslrootcert in {setting}."),
    (r"certificate verify failed", "Name the CA that signed the server's certificate with sslrootcert in {setting}."),
)
_FACTS = """
SELECT current_user AS role, r.rolsuper OR r.rolbypassrls AS sees_all, pg_is_in_recovery() AS is_standby,
  current_setting('default_transaction_read_only') = 'on' AS is_read_only,
  current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
  current_setting('server_encoding') AS encoding,
  coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS has_tls,
  to_regclass('users') IS NOT NULL AND has_table_privilege(to_regclass('users'), 'SELECT') AS reads_users
FROM pg_roles r WHERE r.rolname = current_user
"""
_SIZE = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
  (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS of_role
"""
_ROLES: dict[Process, tuple[DatabaseRole, ...]] = {
    "web": ("identity", "web"),
    "worker": ("identity", "worker"),
    "listener": ("identity", "worker"),
    "all": ("identity", "web", "worker"),
}


def database_checks(settings: Settings, process: Process) -> list[Check]:
    """Return the checks of PostgreSQL, as the roles that a process uses."""
    roles = _ROLES[process]
    main = roles[-1]
    checks = [_role_check(settings, role) for role in roles]
    if process == "all" and "database_url" in settings.model_fields_set:
        checks.append(_role_check(settings, "owner"))
    after = (f"database.{main}",)
    checks.append(schema_check(settings, process))

    async def clock() -> str:
        return await _clock(settings, main)

    async def size() -> str:
        return await _size(settings, main, process)

    checks.append(Check("database.clock", "PostgreSQL: clock", clock, after=after))
    checks.append(Check("database.connections", "PostgreSQL: connections", size, after=after))
    return checks


def start_checks(settings: Settings, process: Process) -> list[Check]:
    """Return those without which a process is useless. A web process starts on any schema, and is not ready."""
    checks = [_login_check(settings, role) for role in _ROLES[process]]
    return checks if process == "web" else [*checks, schema_check(settings, process)]


def schema_check(settings: Settings, process: Process) -> Check:
    """Return the check that the database is migrated to what this code needs."""
    main = _ROLES[process][-1]

    async def schema() -> str:
        return await _schema(settings, main)

    return Check("database.schema", "PostgreSQL: migrations", schema, after=(f"database.{main}",))


def refusal_of(role: DatabaseRole, said: str) -> Problem | None:
    """Return what PostgreSQL refuses for good, None for a server that is away."""
    setting = setting_of(role)
    for pattern, do in _REFUSALS:
        if found := re.search(pattern, said):
            wrong = f"PostgreSQL does not let the role for {role} in: {found[0].strip()}."
            return Problem(wrong, do.format(setting=setting), setting, is_final=True)
    return None


def setting_of(role: DatabaseRole) -> str:
    """Return the name of the setting with a role's address."""
    return "DATABASE_URL" if role == "owner" else f"DATABASE_{role.upper()}_URL"


def role_problems(role: DatabaseRole, facts: dict[str, Any], *, is_private: bool) -> list[Problem]:
    """Return what is wrong with a server and a role on it; `facts` is the row of the check's question."""
    setting, found = setting_of(role), []
    if facts["number"] < _OLDEST:
        found.append(Problem(f"PostgreSQL is {facts['version']}; the portal needs 15 or later.", "Update it.", setting))
    if facts["is_standby"] or facts["is_read_only"]:
        wrong = "PostgreSQL takes no writes: it is a standby or read-only."
        found.append(Problem(wrong, f"Lead {setting} to the primary.", setting))
    if facts["encoding"] != "UTF8":
        wrong = f"The database's encoding is {facts['encoding']}: Japanese names cannot be stored."
        found.append(Problem(wrong, "Create it again with ENCODING 'UTF8'.", setting))
    own = f"the role that deploy/create_roles.sh makes, portal_{role}"
    if facts["sees_all"] and role != "owner":
        wrong = f"Role {facts['role']} is a superuser or has BYPASSRLS: each customer could read all rows."
        found.append(Problem(wrong, f"Use {own}, in {setting}.", setting))
    elif role == "web" and facts["reads_users"]:
        wrong = f"Role {facts['role']} may read users and their credentials, which web processes must not."
        found.append(Problem(wrong, f"Use {own}, in {setting}.", setting))
    if not facts["has_tls"] and not is_private:
        wrong = "PostgreSQL is on another host and is reached without TLS: customers' data travel readable."
        found.append(Problem(wrong, f"Add sslmode=verify-full to {setting}.", setting, is_warning=True))
    return found


def clock_problem(ahead: float, other: str) -> Problem | None:
    """Return what is wrong with this host's clock, so many seconds ahead of another one."""
    if abs(ahead) <= _CLOCK_TOLD:
        return None
    wrong = f"This host's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} {other}'s."
    do = "Keep both on NTP (timedatectl): vendors refuse logins and signatures that are minutes off."
    return Problem(wrong, do, is_warning=abs(ahead) < _CLOCK_WRONG)


def seconds_ahead(shown: float, *, before: float, after: float) -> float:
    """Return by how much this host is ahead of a clock that was read between two moments; 0 where it may agree."""
    return before - shown if shown < before else min(0.0, after - shown)


def size_problem(settings: Settings, process: Process, *, most: int, used: int) -> Problem | None:
    """Return what is wrong with the number of connections that a server allows."""
    needed = _most_connections(settings, process)
    if needed <= most:
        return None
    wrong = f"This machine's processes open up to {needed} connections; PostgreSQL allows {most}, {used} are used now."
    do = "Raise max_connections, for all machines together; beyond it requests wait and then fail."
    return Problem(wrong, do, is_warning=True)


async def row_of(settings: Settings, role: DatabaseRole, question: str) -> dict[str, Any]:
    """Return the first row of a question, empty where there is none. Raises psycopg.Error."""
    connection = await async_connector(settings, role, name="portal-doctor")()
    async with connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(question)
        return await cursor.fetchone() or {}


def _role_check(settings: Settings, role: DatabaseRole) -> Check:
    async def run() -> str:
        facts = await _asked(settings, role, _FACTS)
        if problems := role_problems(role, facts, is_private=_is_private(settings.database_url_for(role))):
            raise Unfit(*problems)
        return f"{facts['role']}, PostgreSQL {facts['version']}"

    return Check(f"database.{role}", f"PostgreSQL: role for {role}", run)


def _login_check(settings: Settings, role: DatabaseRole) -> Check:
    async def run() -> str:
        await _asked(settings, role, "SELECT 1")
        return ""

    return Check(f"database.{role}", f"PostgreSQL: role for {role}", run)


async def _asked(settings: Settings, role: DatabaseRole, question: str) -> dict[str, Any]:
    try:
        return await row_of(settings, role, question)
    except psycopg.OperationalError as error:
        # libpq writes one line for each address that it tried; what the server says comes last.
        said = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        if problem := refusal_of(role, str(error)):
            raise Unfit(problem) from error
        setting = setting_of(role)
        do = f"Start PostgreSQL, open the way to it, or correct host and port in {setting}."
        if "connection slots" in str(error) or "too many" in str(error):
            do = "Raise max_connections, or stop what holds them (pg_stat_activity)."
        raise Unfit(
            Problem(f"PostgreSQL does not answer the role for {role}: {said[-1][:200]}.", do, setting)
        ) from error


async def _schema(settings: Settings, role: DatabaseRole) -> str:
    try:
        found = await row_of(settings, role, READ_REVISION)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        found = {}
    except psycopg.OperationalError:
        # The role's own check says why.
        return "not seen"
    schema = schema_at(str(found["version_num"]) if found else None)
    if schema.state == "fits":
        return f"revision {schema.revision}"
    text = schema.reason.partition(": ")
    is_behind = schema.state == "behind"
    raise Unfit(Problem(f"{_sentence(text[0])}.", f"{_sentence(text[2])}.", setting_of(role), is_final=is_behind))


async def _clock(settings: Settings, role: DatabaseRole) -> str:
    before = host_seconds()
    row = await _asked(settings, role, "SELECT extract(epoch FROM clock_timestamp())::float8 AS shown")
    ahead = seconds_ahead(float(row["shown"]), before=before, after=host_seconds())
    if problem := clock_problem(ahead, "PostgreSQL"):
        raise Unfit(problem)
    return f"{ahead:+.1f} s"


async def _size(settings: Settings, role: DatabaseRole, process: Process) -> str:
    row = await _asked(settings, role, _SIZE)
    most = row["most"] if row["of_role"] < 0 else min(row["most"], row["of_role"])
    if problem := size_problem(settings, process, most=most, used=row["used"]):
        raise Unfit(problem)
    return f"{row['used']} of {most} in use, up to {_most_connections(settings, process)} by this machine"


def _most_connections(settings: Settings, process: Process) -> int:
    web = settings.portal_web_workers * _OF_WEB_WORKER
    return {"web": web, "worker": _OF_WORKER, "listener": _OF_LISTENER, "all": web + _OF_WORKER + _OF_LISTENER}[process]


def _is_private(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or (parse_qs(parts.query).get("host") or [""])[0]
    return not host or host.startswith("/") or is_loopback(host)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
