"""Servers that contract tests share: a Redis number, and a sandbox with a clock and a WHMCS role of its own."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from portal_app.infra.redis.client import connect
from portal_app.infra.settings import Settings
from sandbox.faults import Faults
from sandbox.store import Store
from tests.support.running.world import running_sandbox, servers


@dataclass
class RunningSandbox:
    """A sandbox in another process; its faults are set through its state file."""

    settings: Settings
    faults: Faults
    store: Store


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis number of these tests' own: they flush it."""
    return servers().redis(2)


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    # A long timeout: on a busy machine a healthy server may seem down.
    client = connect(redis_url, seconds=5)
    try:
        await client.flushdb()
        yield client
    finally:
        await client.aclose()


def quick_redis(url: str) -> Redis:
    """Return a client that gives up at once, as the portal's own does."""
    return connect(url, seconds=0.2)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    home = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(home, SANDBOX_WHMCS_ROLE=documented_role()) as reached:
        store = Store(home / "sandbox.db")
        yield RunningSandbox(Settings(portal_env="development", **reached), Faults(store), store)


def documented_role() -> str:
    """Return the WHMCS actions the operator's guide names: the portal must get by with them."""
    guide = Path(__file__).parents[3] / "docs" / "integrations" / "whmcs.md"
    _, _, rest = guide.read_text().partition("**API role** with exactly: ")
    return rest.partition(".")[0]
