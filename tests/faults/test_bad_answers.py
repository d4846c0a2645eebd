"""WHMCS answers badly in every way: the breaker opens, pages go on from saved data, recovery is noticed by itself."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from portal_app.domain.billing.invoice_list import Invoices
from portal_app.domain.errors import ExternalUnavailable
from portal_app.domain.profile.customer import Customer
from portal_app.infra.settings import Settings
from portal_app.models.user import IdMapping
from portal_app.wiring.portal import Portal, build
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.world import BEN
from tests.support.waiting import until

OUTAGES: dict[str, dict[str, Any]] = {
    "fails with 500": {"flaky": 1.0},
    "is a maintenance page": {"down": True},
    "answers a web page": {"broken": "html"},
    "breaks off in the middle": {"broken": "half"},
    "says nothing": {"broken": "silence"},
    "hangs up": {"broken": "refused"},
}
# Thirty seconds of silence, in short; pages wait as in production.
HURRIED = {
    "whmcs_timeout": 2.0,
    "portal_breaker_failures": 3,
    "portal_breaker_seconds": 0.5,
    "whmcs_concurrency": 4,
    "mirror_patience_seconds": 1.5,
}


@pytest_asyncio.fixture
async def portal(settings: Settings) -> AsyncIterator[Portal]:
    """A portal with a short vendor deadline."""
    built = build(settings.model_copy(update=HURRIED), role="web")
    await built.redis.delete("breaker:{whmcs}")
    yield built
    await built.close()


async def ben(driver: PortalDriver) -> Customer:
    """Return a customer with invoices."""
    client = await driver.web.vendors.clients.find_client(BEN)
    assert client is not None
    async with driver.mappings.unit_of_work() as session:
        mapping = await IdMapping.by_client(session, client.id)
    assert mapping is not None
    return mapping.to_domain()


async def fresh_invoices(portal: Portal, customer: Customer) -> Invoices:
    """Look at the invoices after WHMCS has said that they changed."""
    await portal.billing.invoices.mark_stale(customer)
    return await portal.billing.invoices.invoices_for(customer)


async def invoices_at_whmcs(portal: Portal, customer: Customer) -> Invoices:
    """Return the invoices as WHMCS has them, however long it takes to say so."""
    found: list[Invoices] = []

    async def is_fresh() -> bool:
        found.append(await fresh_invoices(portal, customer))
        return found[-1].as_of is None

    await until(is_fresh, "fresh invoices")
    return found[-1]


async def whmcs_limiter(portal: Portal) -> dict[str, Any]:
    return (await portal.vendors.limiter_states())["whmcs"]


@pytest.mark.parametrize("outage", OUTAGES)
async def test_pages_answer_from_saved_data_until_the_vendor_is_back(
    driver: PortalDriver, portal: Portal, outage: str
) -> None:
    customer = await ben(driver)
    fresh = await invoices_at_whmcs(portal, customer)
    assert fresh.listing.rows
    await driver.set_faults("whmcs", **OUTAGES[outage])
    saved = await asyncio.gather(*(fresh_invoices(portal, customer) for _ in range(30)))
    assert all(seen.as_of and seen.listing.rows == fresh.listing.rows for seen in saved)
    await until_left_alone(portal, customer)
    await driver.set_faults("whmcs")
    await expect_recovery(portal, customer)


async def test_a_refusing_address_opens_the_breaker_and_pages_continue(
    driver: PortalDriver, settings: Settings
) -> None:
    customer = await ben(driver)
    await fresh_invoices(driver.web, customer)
    nowhere = settings.model_copy(update={**HURRIED, "whmcs_api_url": "http://127.0.0.1:1/includes/api.php"})
    portal = build(nowhere, role="web")
    assert (await fresh_invoices(portal, customer)).as_of
    await until_left_alone(portal, customer)
    await portal.close()
    await expect_recovery(driver.web, customer)


async def test_a_breaker_that_one_process_opened_spares_the_others(driver: PortalDriver, settings: Settings) -> None:
    # It stays open: a busy machine takes its time to ask from another process.
    slower = settings.model_copy(update=HURRIED | {"portal_breaker_seconds": 600})
    first, other = build(slower, role="web"), build(slower, role="web")
    await first.redis.delete("breaker:{whmcs}")
    customer = await ben(driver)
    await first.billing.invoices.invoices_for(customer)
    await driver.set_faults("whmcs", down=True)
    await until_left_alone(first, customer)
    await driver.set_faults("whmcs")
    try:
        with pytest.raises(ExternalUnavailable, match="breaker open"):
            await other.vendors.product_prices.product_prices()
    finally:
        await first.redis.delete("breaker:{whmcs}")
        await other.close()
        await first.close()


async def until_left_alone(portal: Portal, customer: Customer) -> None:
    """Look until the breaker is open: looks at one moment share one reading."""

    async def is_open() -> bool:
        assert (await fresh_invoices(portal, customer)).listing.rows
        return (await whmcs_limiter(portal))["breaker"] == "open"

    await until(is_open, "an open breaker")


async def expect_recovery(portal: Portal, customer: Customer) -> None:
    """Wait until pages are fresh again, then check that nothing is used up: many calls at once go through."""

    async def is_fresh() -> bool:
        is_saved = (await fresh_invoices(portal, customer)).as_of
        return not is_saved and (await whmcs_limiter(portal))["breaker"] == "closed"

    await until(is_fresh, "fresh invoices")
    invoices = portal.vendors.invoices.invoices
    answers = await asyncio.gather(*(invoices(customer.whmcs_client_id) for _ in range(20)))
    assert all(answers)
    limiter = await whmcs_limiter(portal)
    assert (limiter["breaker"], limiter["running"], sum(limiter["waiting"].values())) == ("closed", 0, 0)
