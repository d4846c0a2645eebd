"""Servers that contract tests share: a real Valkey, and the sandbox as a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from portal_app.infra.settings import Settings
from portal_app.local.valkey import EmbeddedValkey
from sandbox.faults import Faults
from sandbox.store import Store


@dataclass
class RunningSandbox:
    """A sandbox in another process; its moods are set through its own state file."""

    settings: Settings
    faults: Faults
    store: Store


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    valkey = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    yield valkey.start()
    valkey.stop()


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = quick_redis(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


def quick_redis(url: str) -> Redis:
    """Return a client that gives up at once, as the portal's own does."""
    return Redis.from_url(url, socket_timeout=0.2, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    home = tmp_path_factory.mktemp("sandbox")
    ports = {f"SANDBOX_{name}_PORT": "0" for name in ("HTTP", "HTTPS", "PUBSUB", "SMTP")}
    environment = {**os.environ, **ports, "SANDBOX_HOME": str(home), "SANDBOX_WHMCS_ROLE": documented_role()}
    process = subprocess.Popen([sys.executable, "-m", "sandbox.main", "serve"], env=environment)
    try:
        _await_file(process, home / "running.json")
        told = subprocess.check_output([sys.executable, "-m", "sandbox.main", "env"], env=environment, text=True)
        variables = dict(line.split("=", 1) for line in told.splitlines())
        settings = Settings(portal_env="development", **{name.lower(): value for name, value in variables.items()})
        store = Store(home / "sandbox.db")
        yield RunningSandbox(settings, Faults(store), store)
    finally:
        process.terminate()
        process.wait(10)


def documented_role() -> str:
    """Return the WHMCS actions the operator's guide names: the portal must get by with them."""
    guide = Path(__file__).parents[3] / "docs" / "integrations" / "whmcs.md"
    _, _, rest = guide.read_text().partition("**API role** with exactly: ")
    return rest.partition(".")[0]


def _await_file(process: subprocess.Popen[bytes], path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert process.poll() is None and time.monotonic() < deadline, "the sandbox did not start"
        time.sleep(0.05)
