"""Fixtures of these tests: a gateway on the sandbox, and on a vendor's test system where its settings are given."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from portal_app.infra.database.database import Database
from portal_app.integrations.build import build_vendors
from tests.contract.systems import SANDBOX, known_there, settings_of_test_system, systems
from tests.support.running.vendor_servers import RunningSandbox, redis, redis_url, sandbox
from tests.support.running.world import servers
from tests.support.vendors.sims import Sims

__all__ = ["redis", "redis_url", "sandbox"]


@pytest_asyncio.fixture
async def sims(sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[Sims]:
    """The gateway on the sandbox, whose clock and faults the test sets."""
    own = Sims(sandbox, redis)
    own.set_faults()
    yield own
    own.set_faults()
    await own.close()


@pytest_asyncio.fixture(params=systems("freebit"))
async def anywhere(request: pytest.FixtureRequest, sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[Sims]:
    """The gateway on any system, with the account of a living line: CONTRACT_FREEBIT_ACCOUNT on a test system."""
    if request.param == SANDBOX:
        own = Sims(sandbox, redis)
        own.set_faults()
        yield own
        await own.close()
        return
    settings = settings_of_test_system("freebit").model_copy(update={"database_url": servers().postgres.url()})
    database = Database(settings, "web")
    vendors = build_vendors(settings, redis, database)
    yield Sims(sandbox, redis, gateway=vendors.sims, living=known_there("freebit", "CONTRACT_FREEBIT_ACCOUNT"))
    await vendors.close()
    await database.close()
