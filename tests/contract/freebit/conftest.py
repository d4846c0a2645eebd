"""Fixtures of these tests: a gateway on the sandbox, and on a vendor's test system where its settings are given."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from portal_app.infra.settings import Settings
from portal_app.integrations.build import build_vendors
from tests.contract.freebit.systems import Sims
from tests.contract.lanes.servers import RunningSandbox, redis, redis_url, sandbox

__all__ = ["redis", "redis_url", "sandbox"]
# FREEBIT_TEST_ACCOUNT names an active line of the system that the FREEBIT_* variables reach.
SYSTEMS = ["sandbox", *(["vendor"] if os.environ.get("FREEBIT_TEST_ACCOUNT") else [])]


@pytest_asyncio.fixture
async def sims(sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[Sims]:
    """The gateway on the sandbox, whose clock and moods the test holds."""
    own = Sims(sandbox, redis)
    own.set_mood()
    yield own
    own.set_mood()
    await own.close()


@pytest_asyncio.fixture(params=SYSTEMS)
async def anywhere(request: pytest.FixtureRequest, sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[Sims]:
    """The gateway on any system, with the account of a living line."""
    if request.param == "sandbox":
        own = Sims(sandbox, redis)
        own.set_mood()
        yield own
        await own.close()
        return
    vendors = build_vendors(Settings(portal_env="development"), redis)
    yield Sims(sandbox, redis, gateway=vendors.sims, living=os.environ["FREEBIT_TEST_ACCOUNT"])
    await vendors.close()
