"""The hook file in Debian's PHP, between a stand-in for WHMCS and the portal's own webhook."""

import asyncio
import json
import socket
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn

from portal_app.wiring.portal import Portal, set_portal
from tests.support.clients.visitor import edge
from tests.support.clients.webhook_calls import body_of, headers_of
from tests.support.foreign_programs import need
from tests.support.running.portal_fixtures import portal, web_side, worker
from tests.support.vendors.hook_receiver import Receiver, listening

__all__ = ["portal", "receiver", "web_side", "worker"]
ROOT = Path(__file__).parents[3]
BRIDGE = ROOT / "whmcs_bridge" / "portal_bridge.php"
HARNESS = Path(__file__).with_name("harness.php")
SECRET = "sandbox-webhook-secret"
_LONG_AGO = "2020-01-01 00:00:00"


class Whmcs:
    """One installation: its database, its configuration outside the web root and its activity log."""

    def __init__(self, home: Path, php: Path) -> None:
        self._php = php
        self.database = home / "whmcs.db"
        self.config = home / "portal_bridge_config.php"
        self.log = home / "activity.log"
        self.log.touch()

    def configure(self, url: str, *, key: str = "k1", secret: str = SECRET) -> None:
        """Write the configuration file as an operator does."""
        self.config.write_text(f"<?php\nreturn ['url' => '{url}', 'key' => '{key}', 'secret' => '{secret}'];\n")

    async def request(self, *calls: tuple[str, dict[str, Any]]) -> list[str]:
        """Run hooks in one request of WHMCS and return the hook points the file listens to."""
        php = await asyncio.create_subprocess_exec(
            self._php, HARNESS, BRIDGE, self.database, self.log,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PORTAL_BRIDGE_CONFIG": str(self.config)},
        )  # fmt: skip
        sent = json.dumps([{"hook": hook, "vars": values} for hook, values in calls]).encode()
        out, errors = await asyncio.wait_for(php.communicate(sent), 30)
        assert (php.returncode, errors) == (0, b""), (out, errors)
        found = json.loads(out)
        assert isinstance(found, list)
        return found

    async def cron(self) -> None:
        """Run the cron once, with everything undelivered being due."""
        with closing(sqlite3.connect(self.database)) as database, database:
            database.execute("UPDATE mod_portal_outbox SET next_at = ? WHERE next_at < '9000'", (_LONG_AGO,))
        await self.request(("AfterCronJob", {}))

    def outbox(self) -> list[dict[str, Any]]:
        """Return the rows of the outbox."""
        with closing(sqlite3.connect(self.database)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("SELECT * FROM mod_portal_outbox ORDER BY id")]

    def has_outbox(self) -> bool:
        """Say whether the table was made."""
        with closing(sqlite3.connect(self.database)) as database:
            return (
                database.execute("SELECT 1 FROM sqlite_master WHERE name = 'mod_portal_outbox'").fetchone() is not None
            )

    def age(self, event_id: str, created_at: str) -> None:
        """Make an event older."""
        with closing(sqlite3.connect(self.database)) as database, database:
            database.execute("UPDATE mod_portal_outbox SET created_at = ? WHERE event_id = ?", (created_at, event_id))

    def forget_delivery(self) -> None:
        """Act as if every answer had been lost."""
        with closing(sqlite3.connect(self.database)) as database, database:
            database.execute("UPDATE mod_portal_outbox SET delivered_at = NULL")


@pytest.fixture(scope="session")
def php() -> Path:
    """Where PHP is; skips everything where it or one of its extensions is missing."""
    get = "apt-get install --no-install-recommends php-cli php-curl php-sqlite3"
    loaded = subprocess.check_output([need("php", get=get), "-m"], text=True).lower().split()
    return need("php", get=get, found=set(loaded) >= {"curl", "pdo_sqlite"})


@pytest.fixture
def whmcs(tmp_path: Path, php: Path) -> Whmcs:
    """A fresh installation without a configuration."""
    return Whmcs(tmp_path, php)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver in place of the portal with scripted answers."""
    async with listening() as running:
        yield running


@pytest.fixture(scope="package")
async def webhook(web_side: Portal) -> AsyncIterator[str]:
    """The portal's own webhook on a socket; its address."""
    portal = set_portal(web_side)
    with _free_socket() as sock:
        config = uvicorn.Config(edge(portal.settings), lifespan="off", log_level="error", ws="none")
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None
        task = asyncio.create_task(server.serve(sockets=[sock]))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/api/webhooks/whmcs"
        # The first request opens every connection; on a busy machine that exceeds the timeout of the hook file.
        first = str(uuid4())
        body = body_of(first)
        async with httpx.AsyncClient(timeout=30) as client:
            (await client.post(url, content=body, headers=headers_of(first, body))).raise_for_status()
        yield url
        server.should_exit = True
        await task


def _free_socket() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens."""
    with _free_socket() as sock:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/"
