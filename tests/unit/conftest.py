"""Real servers for these tests, a database and a Redis number of their own, ready when the first test asks for them."""

import os
from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

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
from portal_app.models.user import EMAIL_PLACE, User
from tests.world import servers

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
    )


@pytest.fixture(scope="session")
def ring(settings: Settings) -> KeyRing:
    ring = key_ring_of(settings)
    use_key_ring(ring)
    return ring


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    # Patient: on a busy machine a server that is well may look away, and then everybody computes for themselves.
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


async def new_user(database: Database, ring: KeyRing) -> UUID:
    """Write a user down, as sign-up would."""
    email = f"{uuid4().hex}@example.jp"
    async with database.identity() as session:
        user = User(
            email=email,
            email_index=ring.index(email, EMAIL_PLACE),
            password_hash="-",
            name="Taro Tanaka",
            customer_number=uuid4().hex[:9],
        )
        session.add(user)
    return user.id
