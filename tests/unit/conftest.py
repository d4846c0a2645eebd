"""Real servers for these tests, a database and a Redis number of their own, ready when the first test asks for them."""

import os
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest
from redis.asyncio import Redis

from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.redis.client import connect
from portal_app.infra.security.encrypted_column import use_key_ring
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.security.secrets import key_ring_of
from portal_app.infra.settings import Settings
from portal_app.local.servers.postgres import EmbeddedPostgres
from portal_app.local.servers.valkey import EmbeddedValkey
from tests.support.running.world import servers
from tests.support.values.users import new_user

# A loopback server in a test; the suite keeps no secrets.
os.environ.pop("PORTAL_ENV_FILE", None)


@pytest.fixture(scope="session")
def redis_url() -> str:
    return servers().redis(1)


@pytest.fixture
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """A server this one test may stop."""
    with EmbeddedValkey(tmp_path_factory.mktemp("own-valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> EmbeddedPostgres:
    return servers().postgres


@pytest.fixture(scope="session")
def settings(redis_url: str) -> Settings:
    return Settings(
        portal_env="development",
        database_url=servers().database("unit"),
        redis_url=redis_url,
        bcrypt_rounds=4,
        portal_url="http://localhost:3000",
        # Where the vendors in memory say that links lead to.
        whmcs_url="https://billing.example.jp",
    )


@pytest.fixture(scope="session")
def ring(settings: Settings) -> KeyRing:
    ring = key_ring_of(settings)
    use_key_ring(ring)
    return ring


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    # A long timeout: on a busy machine a healthy server may seem down, and then every caller computes for itself.
    client = connect(redis_url, seconds=10)
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
async def web(settings: Settings, ring: KeyRing) -> AsyncIterator[Database]:
    database = Database(settings, "web")
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def worker(settings: Settings, ring: KeyRing) -> AsyncIterator[Database]:
    database = Database(settings, "worker")
    yield database
    await database.close()


@pytest.fixture(scope="session")
def queue(settings: Settings) -> Iterator[DurableQueue]:
    queue = DurableQueue(settings, "web")
    yield queue
    queue.close()


@pytest.fixture
async def user_id(web: Database, ring: KeyRing) -> UUID:
    return await new_user(web, ring)
