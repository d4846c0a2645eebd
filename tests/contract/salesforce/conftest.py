"""Fixtures of these tests."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from portal_app.domain.profile.customer import Customer, Profile
from portal_app.infra.database.database import Database
from portal_app.integrations.build import Vendors, build_vendors
from portal_app.integrations.http import vendor_client
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.login import SalesforceLogin
from portal_app.integrations.throttling.call_limits import CallLimits
from portal_app.integrations.throttling.limiter import VendorLimiter
from portal_app.integrations.throttling.vendor_call import VendorCall
from sandbox.faults import FaultSettings
from tests.support.running.vendor_servers import RunningSandbox, redis, redis_url, sandbox
from tests.support.values.people import ADDRESS, PERSON

__all__ = ["redis", "redis_url", "sandbox"]


@pytest.fixture
async def client(sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[SalesforceClient]:
    """The plain client, to read what was written."""
    http = vendor_client(timeout=5, ca_file=sandbox.settings.sf_ca_file)
    login = SalesforceLogin(sandbox.settings, http)
    limiter = VendorLimiter(redis, "look", CallLimits(concurrency=5, rate="1000/minute", queue=20, timeout=5.0))
    client = SalesforceClient(sandbox.settings, login, VendorCall("look", limiter, timeout=5.0))
    yield client
    await client.aclose()
    await login.aclose()


@pytest.fixture
def healthy_salesforce(sandbox: RunningSandbox) -> Iterator[None]:
    """Make Salesforce healthy again afterwards."""
    yield
    sandbox.faults.set("salesforce", FaultSettings())


@pytest.fixture
async def vendors(sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[Vendors]:
    """All vendors at the sandbox."""
    vendors = build_vendors(sandbox.settings, redis, Database(sandbox.settings, "web"))
    yield vendors
    await vendors.close()


@pytest.fixture
async def customer(vendors: Vendors) -> Customer:
    """A customer whom Salesforce knows since just now."""
    user, number = uuid4(), f"C{uuid4().int % 10**8:08}"
    profile = Profile.parse(f"{user.hex}@example.jp", {**PERSON, **ADDRESS})
    made = await vendors.crm.upsert_customer(profile, user_id=user, customer_number=number, whmcs_client_id=7)
    return Customer(user, 7, made.account_id, made.contact_id, number)
