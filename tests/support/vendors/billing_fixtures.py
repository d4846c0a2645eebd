"""Customers with a mapping, and the services that show them their bills."""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import Any

import pytest
from redis.asyncio import Redis

from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.settings import Settings
from portal_app.models.user import IdMapping
from tests.support.values.users import new_user
from tests.support.vendors.billing_services import BillingServices

_NUMBERS = count(70_000)


@pytest.fixture
def billing_services_of(settings: Settings, redis: Redis) -> Callable[..., BillingServices]:
    def make(database: Database, gateway: Any, **changes: object) -> BillingServices:
        return BillingServices.over(gateway, database, redis, settings.model_copy(update=changes))

    return make


@pytest.fixture
async def make_customer(web: Database, worker: Database, ring: KeyRing) -> Callable[[], Awaitable[Customer]]:
    async def make() -> Customer:
        number = next(_NUMBERS)
        ids = {"whmcs_client_id": number, "sf_account_id": f"001{number}", "sf_contact_id": f"003{number}"}
        mapping = IdMapping(user_id=await new_user(web, ring), customer_number=f"C{number:08d}", **ids)
        async with worker.unit_of_work() as session:
            session.add(mapping)
        return mapping.to_domain()

    return make


@pytest.fixture
async def customer(make_customer: Callable[[], Awaitable[Customer]]) -> AsyncIterator[Customer]:
    yield await make_customer()
