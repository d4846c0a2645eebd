"""A client of the sandbox's WHMCS, shared by the tests of this folder."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from portal_app.infra.database.database import Database
from portal_app.integrations.build import Vendors, build_vendors
from sandbox.faults import FaultSettings
from tests.support.running.vendor_servers import RunningSandbox, redis, redis_url, sandbox
from tests.support.vendors.whmcs_orders import newcomer

__all__ = ["redis", "redis_url", "sandbox"]


@pytest.fixture
async def vendors(sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[Vendors]:
    """The gateways at a sandbox that is well again afterwards."""
    built = build_vendors(sandbox.settings, redis, Database(sandbox.settings, "web"))
    yield built
    await built.close()
    sandbox.faults.set("whmcs", FaultSettings())


async def sign_up(vendors: Vendors) -> int:
    """Add a client of one's own and return its id."""
    return await vendors.clients.add_client(
        newcomer(), customer_number=f"C{uuid4().int % 10**8:08}", password=uuid4().hex
    )
