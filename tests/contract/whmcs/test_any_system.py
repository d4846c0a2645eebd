"""What must hold at every WHMCS: the sandbox always, and a test system of the vendor's where its settings are given.

The file that CONTRACT_WHMCS_ENV names holds the settings that reach the system, CONTRACT_WHMCS_CLIENT (the id of a
client there who may be read and signed on) and CONTRACT_WHMCS_STRANGER (of one whose records must stay hidden).
Nothing is written but a sign-on token.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from portal_app.domain.errors import NotFound
from portal_app.infra.database.database import Database
from portal_app.integrations.build import Vendors, build_vendors
from tests.contract.seeded import AIKO_CLIENT_ID, BEN_CLIENT_ID
from tests.contract.systems import TEST_SYSTEM, known_there, settings_of_test_system, systems
from tests.support.running.vendor_servers import RunningSandbox


@dataclass(frozen=True)
class System:
    """A gateway with somebody known there and somebody else."""

    vendors: Vendors
    client_id: int
    stranger_id: int
    url: str


@pytest_asyncio.fixture(params=systems("whmcs"))
async def system(request: pytest.FixtureRequest, sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[System]:
    own, client_id, stranger_id = sandbox.settings, BEN_CLIENT_ID, AIKO_CLIENT_ID
    if request.param == TEST_SYSTEM:
        own = settings_of_test_system("whmcs")
        client_id, stranger_id = (int(known_there("whmcs", f"CONTRACT_WHMCS_{who}")) for who in ("CLIENT", "STRANGER"))
    vendors = build_vendors(own, redis, Database(own, "web"))
    yield System(vendors, client_id, stranger_id, own.whmcs_url)
    await vendors.close()


async def test_a_client_is_the_same_by_id_and_by_email(system: System) -> None:
    client = await system.vendors.clients.client(system.client_id)
    assert await system.vendors.clients.find_client(client.email) == client


async def test_lists_and_details_of_invoices_agree(system: System) -> None:
    whole = await system.vendors.invoices.invoices(system.client_id)
    for row in whole[:3]:
        detail = await system.vendors.invoices.invoice(system.client_id, row.id)
        assert (detail.total, detail.tax, detail.status) == (row.total, row.tax, row.status)
        assert detail.balance is not None and detail.lines
        assert await system.vendors.invoices.invoice_of_anyone(row.id) == detail
        with pytest.raises(NotFound):
            await system.vendors.invoices.invoice(system.stranger_id, row.id)


async def test_money_is_the_clients_own_and_newest_first(system: System) -> None:
    entries = await system.vendors.payment_methods.transactions(system.client_id)
    assert {entry.client_id for entry in entries} <= {system.client_id}
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
    credits = [entry.id for entry in (await system.vendors.payment_methods.credit(system.client_id)).entries]
    assert credits == sorted(credits, reverse=True)


async def test_services_are_found_alone_and_by_their_owner_only(system: System) -> None:
    for service in (await system.vendors.subscriptions.subscriptions(system.client_id))[:3]:
        assert await system.vendors.subscriptions.subscription(system.client_id, service.id) == service
        assert await system.vendors.subscriptions.service_owner(service.id) == system.client_id
        with pytest.raises(NotFound):
            await system.vendors.subscriptions.subscription(system.stranger_id, service.id)


async def test_ways_to_pay_have_names_and_prices_are_not_negative(system: System) -> None:
    assert all(gateway.name and gateway.title for gateway in await system.vendors.payment_methods.gateways())
    assert all(
        method.last_four or method.kind == "bank"
        for method in await system.vendors.payment_methods.payment_methods(system.client_id)
    )
    prices = await system.vendors.product_prices.product_prices()
    assert prices and all(price.minor >= 0 for cycles in prices.values() for price in cycles.values())


async def test_a_sign_on_link_leads_to_the_systems_own_host(system: System) -> None:
    link = await system.vendors.sso.sign_on_link(system.client_id, "clientarea.php")
    assert link.startswith(system.url.split("/", 3)[0] + "//" + system.url.split("/", 3)[2] + "/")
