"""Real servers for these tests, started when the first test asks for them."""

import os
import subprocess
import sys
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

# A loopback server in a test; the suite keeps no secrets.
os.environ.pop("PORTAL_ENV_FILE", None)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """A server this one test may stop."""
    with EmbeddedValkey(tmp_path_factory.mktemp("own-valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), fast=True) as server:
        environment = {**os.environ, "DATABASE_URL": server.url(), "PORTAL_ENV": "development"}
        subprocess.run(
            [sys.executable, "-m", "portal_app.infra.database.migrate"],
            env=environment,
            check=True,
            capture_output=True,
        )
        yield server


@pytest.fixture(scope="session")
def settings(valkey: EmbeddedValkey, postgres: EmbeddedPostgres) -> Settings:
    return Settings(
        portal_env="development",
        database_url=postgres.url(),
        redis_url=valkey.url(),
        bcrypt_rounds=4,
        portal_url="http://localhost:3000",
    )


@pytest.fixture(scope="session")
def ring(settings: Settings) -> KeyRing:
    ring = key_ring_of(settings)
    use_key_ring(ring)
    return ring


@pytest.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator[Redis]:
    # Patient: on a busy machine a server that is well may look away, and then everybody computes for themselves.
    client = connect(valkey.url(), seconds=10)
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
