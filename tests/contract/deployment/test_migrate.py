"""`portal migrate` for an owner who may not create roles, on a PostgreSQL of its own: roles belong to the server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from portal_app.local.servers.postgres import EmbeddedPostgres
from portal_app.local.servers.postgres_binaries import find_programs
from tests.support.running.site import ROOT

ROLES = ("portal_identity", "portal_web", "portal_worker")
PASSWORDS = {f"DATABASE_{name}_PASSWORD": f"{name.lower()}-pw" for name in ("IDENTITY", "WEB", "WORKER")}
TABLES = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("roles") / "postgres", fast=True) as running:
        execute(running.url(), "CREATE ROLE plain LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB")
        yield running


@pytest.fixture
def database(server: EmbeddedPostgres) -> Iterator[str]:
    """An empty database of the plain owner, on a server without the portal's roles; yields the owner's address."""
    execute(server.url(), "CREATE DATABASE owned OWNER plain")
    yield server.url("owned").replace("//portal@", "//plain@")
    execute(server.url(), "DROP DATABASE owned WITH (FORCE)")
    execute(server.url(), *(f"DROP ROLE IF EXISTS {role}" for role in ROLES))


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def count(url: str, question: str) -> int:
    with psycopg.connect(url) as connection:
        return int(connection.execute(question).fetchone()[0])


def migrate(url: str) -> "subprocess.CompletedProcess[str]":
    variables = {**os.environ, "PORTAL_ENV": "development", "DATABASE_URL": url}
    command = [sys.executable, "-W", "ignore", "-m", "portal_app.cli", "migrate"]
    return subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True)


def create_roles(server: EmbeddedPostgres) -> None:
    """Run the script that operators run, as the server's administrator."""
    reach = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "POSTGRES_USER": "portal", "POSTGRES_DB": "portal"}
    path = f"{find_programs()}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["sh", ROOT / "deploy" / "create_roles.sh"], env={**os.environ, **reach, **PASSWORDS, "PATH": path}, check=True
    )


def test_an_owner_who_may_not_create_roles_migrates_where_they_are_there(
    server: EmbeddedPostgres, database: str
) -> None:
    create_roles(server)
    done = migrate(database)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"The database is at revision \d{4} now, it was empty\.\n", done.stdout)
    again = migrate(database)
    assert again.returncode == 0 and re.fullmatch(r"The database is already at revision \d{4}\.\n", again.stdout)


def test_missing_roles_are_reported_with_the_statements_that_create_them(
    server: EmbeddedPostgres, database: str
) -> None:
    execute(server.url(), "CREATE ROLE portal_web LOGIN")
    refused = migrate(database)
    statements = re.findall(r"^CREATE ROLE .*;$", refused.stderr, re.M)
    assert refused.returncode != 0 and "Traceback" not in refused.stderr and refused.stdout == ""
    assert statements == ["CREATE ROLE portal_identity LOGIN;", "CREATE ROLE portal_worker LOGIN;"]
    assert count(database, TABLES) == 0
    execute(server.url(), *statements)
    done = migrate(database)
    assert done.returncode == 0 and done.stdout.startswith("The database is at revision"), done.stderr


def test_roles_lost_after_the_migration_are_reported_too(server: EmbeddedPostgres, database: str) -> None:
    create_roles(server)
    assert migrate(database).returncode == 0
    execute(server.url("owned"), "DROP OWNED BY portal_worker", "DROP ROLE portal_worker")
    refused = migrate(database)
    assert refused.returncode != 0 and "CREATE ROLE portal_worker LOGIN;" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_owner_who_may_create_roles_needs_no_administrator(server: EmbeddedPostgres, database: str) -> None:
    execute(server.url(), "ALTER ROLE plain CREATEROLE")
    try:
        done = migrate(database)
    finally:
        execute(server.url(), "ALTER ROLE plain NOCREATEROLE")
    assert done.returncode == 0, done.stderr


def test_the_script_for_roles_can_be_repeated_and_sets_their_passwords(server: EmbeddedPostgres) -> None:
    create_roles(server)
    create_roles(server)
    with_password = "SELECT count(*) FROM pg_authid WHERE rolname LIKE 'portal\\_%' AND rolcanlogin"
    assert count(server.url(), f"{with_password} AND rolpassword LIKE 'SCRAM%'") == len(ROLES)
    execute(server.url(), *(f"DROP ROLE {role}" for role in ROLES))
