"""The world tests stand in: embedded servers with a migrated database, and the sandbox as a process of its own.

`servers()` and `world()` start once per test process and stop at its end. Aiko (new, no card) and Ben (a VPN, two
invoices, a card, one order at Salesforce) can sign in with PASSWORD. Tests that fill tables and keys without a world
take a database and a Redis number of their own at the same servers.
"""

import asyncio
import atexit
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import sql

from portal_app.infra.settings import Settings
from portal_app.jobs.demo_customers import PASSWORD, link_all
from portal_app.local.servers.postgres import DATABASE, EmbeddedPostgres
from portal_app.local.servers.valkey import EmbeddedValkey
from tests.support.waiting import LONGEST_SECONDS

__all__ = ["AIKO", "BEN", "PASSWORD", "Servers", "World", "running_sandbox", "servers", "world"]
AIKO, BEN = "aiko@example.jp", "ben@example.jp"
_BLANK = "blank"
_PORTS = {f"SANDBOX_{name}_PORT": "0" for name in ("HTTP", "HTTPS", "PUBSUB", "SMTP")}
_QUICK: dict[str, Any] = {
    "portal_env": "development",
    "portal_log_format": "text",
    "portal_worker_metrics_port": 0,
    "portal_listener_metrics_port": 0,
    "portal_operator_token": "a-token-of-operators-for-tests",
    "bcrypt_rounds": 4,
    "portal_sign_in_limit": "100000/minute",
    "portal_account_sign_in_limit": "100000/minute",
    "portal_stranger_audit_limit": "100000/minute",
    # On a busy machine many sign-ins of a test wait long; a test that wants the queue to end says so.
    "portal_hash_queue": 1000,
    "portal_hash_seconds": 60.0,
    "portal_request_limit": "100000/minute",
    "portal_order_limit": "100000/minute",
    "portal_same_order_limit": "100000/minute",
    "portal_case_limit": "100000/minute",
    "portal_message_limit": "100000/minute",
    "portal_link_limit": "100000/minute",
    "portal_change_limit": "100000/minute",
    "portal_upload_limit": "100000/minute",
    # A test that runs on the last evening of a month buys data too.
    "portal_auto_top_up_month_end_hours": 0.0,
    "portal_upload_day_megabytes": 1000,
    "portal_account_socket_limit": 1000,
    "portal_account_new_socket_limit": "100000/minute",
    "portal_factor_limit": "100000/minute",
    "portal_sign_in_total_limit": "100000/minute",
    "portal_lock_tries": 100000,
    "portal_reset_limit": "100000/minute",
    "portal_sign_up_limit": "100000/minute",
    "portal_api_limit": "100000/minute",
    "portal_calendar_limit": "100000/minute",
    "portal_contact_limit": "100000/minute",
    "portal_contact_network_limit": "100000/minute",
    "portal_contact_total_limit": "100000/minute",
    "portal_help_limit": "100000/minute",
    "portal_new_socket_limit": "100000/minute",
    "portal_refusal_limit": "100000/minute",
    "whmcs_rate": "100000/minute",
    "sf_rate": "100000/minute",
    "freebit_rate": "100000/minute",
    # On a busy machine a healthy server may seem slow; a test that needs a slow one says so.
    "redis_timeout": 5.0,
    "mirror_patience_seconds": 20.0,
}


@dataclass(frozen=True)
class Servers:
    """PostgreSQL, whose database is migrated, and Valkey."""

    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey

    def database(self, name: str) -> str:
        """Return the address of another migrated database, made at the first call."""
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as owner:
            if not owner.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                _copy(owner, _BLANK, name)
        return self.postgres.url(name)

    def redis(self, number: int) -> str:
        """Return the address of one of Valkey's numbered databases; messages to channels reach all of them."""
        return f"{self.valkey.url().rpartition('/')[0]}/{number}"


@dataclass(frozen=True)
class World:
    """A running world. `settings` reach all of it; `office` is the back office's address."""

    settings: Settings
    office: str
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey

    def settings_with(self, **changes: Any) -> Settings:
        """Return the settings with some changed."""
        return self.settings.model_copy(update=changes)

    def set_faults(self, vendor: str, **faults: Any) -> None:
        """Make a sandbox vendor ("whmcs", "salesforce", "mail") slow, flaky or dead; without faults it is well."""
        httpx.post(f"{self.office}/api/faults/{vendor}", json=faults).raise_for_status()


@cache
def servers() -> Servers:
    """Return this test process's servers, started at the first call."""
    home = Path(_until_the_end().enter_context(tempfile.TemporaryDirectory(prefix="portal-servers-")))
    postgres = _until_the_end().enter_context(EmbeddedPostgres(home / "postgres", fast=True))
    valkey = _until_the_end().enter_context(EmbeddedValkey(home / "valkey"))
    _migrate(postgres.url())
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as owner:
        # Now: a database that somebody is connected to cannot be copied.
        _copy(owner, DATABASE, _BLANK)
    return Servers(postgres, valkey)


@cache
def world() -> World:
    """Return this test process's world, started at the first call."""
    home = Path(_until_the_end().enter_context(tempfile.TemporaryDirectory(prefix="portal-world-")))
    postgres, valkey = servers().postgres, servers().valkey
    sandbox = _until_the_end().enter_context(running_sandbox(home / "sandbox", SANDBOX_FREEBIT_ACTIVATION_SECONDS="1"))
    settings = Settings(**_QUICK, **sandbox, database_url=postgres.url(), redis_url=valkey.url())
    # In a thread of its own: the caller's may run a loop already.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, link_all(settings)).result()
    return World(settings, settings.whmcs_url.removesuffix("/whmcs") + "/office", postgres, valkey)


@cache
def _until_the_end() -> ExitStack:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack


def _migrate(url: str) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "portal_app.infra.database.migrate"]
    environment = {**os.environ, "PORTAL_ENV": "development", "DATABASE_URL": url}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def _copy(owner: psycopg.Connection[Any], source: str, name: str) -> None:
    owner.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source)))


@contextmanager
def running_sandbox(home: Path, **variables: str) -> Iterator[dict[str, str]]:
    """Run the sandbox on free ports and yield the settings that reach it."""
    environment = {**os.environ, **_PORTS, "SANDBOX_HOME": str(home), **variables}
    command = [sys.executable, "-m", "sandbox.main", "serve"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + LONGEST_SECONDS
        while not (home / "running.env").exists():
            assert process.poll() is None and time.monotonic() < deadline, "the sandbox did not start"
            time.sleep(0.05)
        printed = (home / "running.env").read_text()
        yield {name.lower(): value for name, _, value in (line.partition("=") for line in printed.splitlines())}
    finally:
        process.terminate()
        process.wait(LONGEST_SECONDS)
