"""Logins at WHMCS: passwords, second factors, owned and shared clients."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from portal_app.domain.ports.whmcs_accounts import BillingLogins
from portal_app.infra.database.database import Database
from portal_app.integrations.build import build_vendors
from tests.support.running.vendor_servers import RunningSandbox

PASSWORD = "walk-the-portal-1"


@pytest.fixture
async def logins(sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[BillingLogins]:
    vendors = build_vendors(sandbox.settings, redis, Database(sandbox.settings, "web"))
    yield vendors.logins
    await vendors.close()


async def test_the_right_password_names_the_user_and_the_clients_they_own(logins: BillingLogins) -> None:
    found = await logins.verify_password("CHIE@example.jp", PASSWORD)
    assert found and (found.email, found.has_second_factor, len(found.owned), found.others) == (
        "chie@example.jp",
        False,
        1,
        (),
    )


async def test_wrong_password_and_unknown_address_are_the_same_nothing(logins: BillingLogins) -> None:
    assert await logins.verify_password("chie@example.jp", "wrong") is None
    assert await logins.verify_password("nobody@example.jp", PASSWORD) is None
    # The list of users is searched by the beginning of an address.
    assert await logins.verify_password("chie@example", PASSWORD) is None
    assert await logins.find("chie@example") is None


async def test_a_second_factor_and_a_shared_client_are_reported(logins: BillingLogins) -> None:
    daichi = await logins.verify_password("daichi@example.jp", PASSWORD)
    emi = await logins.verify_password("emi@example.jp", PASSWORD)
    assert daichi and daichi.has_second_factor and len(daichi.owned) == 1
    assert emi and emi.owned == () and len(emi.others) == 1
