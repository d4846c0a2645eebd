"""Services in their mirror: what they are is saved with them, and what cannot be read stays as it was."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from portal_app.domain.errors import ExternalUnavailable, NotFound, Unreadable
from portal_app.domain.ports.listing import Listing
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.service_kind import ProductClass
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.services.subscriptions.subscriptions import Subscriptions
from tests.support.vendors.billing_fixtures import billing_services_of, customer, make_customer
from tests.support.vendors.billing_services import BillingServices, mirrored
from tests.support.vendors.fake_vendors import FakeWhmcs
from tests.support.vendors.late_bills import bill, service

__all__ = ["billing_services_of", "customer", "make_customer"]
CLASSES = {1: ProductClass("installation", "internet")}


class OddWhmcs(FakeWhmcs):
    """A billing system of which one row may be unreadable."""

    odd: int = 0

    async def invoices(self, client_id: int):
        return self._without_odd(await super().invoices(client_id))

    async def invoice(self, client_id: int, invoice_id: int):
        if invoice_id == self.odd:
            raise Unreadable("odd", vendor="whmcs")
        return await super().invoice(client_id, invoice_id)

    async def subscriptions(self, client_id: int):
        return self._without_odd(await super().subscriptions(client_id))

    def _without_odd(self, rows):
        listing = Listing(row for row in rows if row.id != self.odd)
        listing.unreadable = frozenset(row.id for row in rows if row.id == self.odd)
        return listing


@pytest.fixture
async def subscriptions(
    settings: Settings, redis: Redis, web: Database, customer: Customer
) -> AsyncIterator[tuple[Subscriptions, OddWhmcs, list[bool]]]:
    """The service over a billing system, and whether the catalogue is away."""
    cache, gateway, is_away = Cache(redis), OddWhmcs(), [False]
    gateway.services = [service(customer.whmcs_client_id), service(customer.whmcs_client_id)]

    async def products() -> dict[int, ProductClass]:
        if is_away[0]:
            raise ExternalUnavailable("away", vendor="salesforce")
        return CLASSES

    live = LiveUpdates(redis, cache)
    made = Subscriptions(settings, web, cache, gateway, products=products, live=live)  # type: ignore[arg-type]
    yield made, gateway, is_away
    await made.freshness.close()
    await cache.close()


async def kinds(made: Subscriptions, customer: Customer) -> list[str]:
    await made.freshness.read(customer)
    return [row.kind for row in (await made.subscriptions_for(customer)).rows]


async def test_what_a_product_is_stays_known_while_the_catalogue_is_away(
    subscriptions: tuple[Subscriptions, OddWhmcs, list[bool]], customer: Customer
) -> None:
    made, _, is_away = subscriptions
    is_away[0] = True
    # Never known: a line, by the rule for products of no catalogue.
    assert await kinds(made, customer) == ["line", "line"]
    is_away[0] = False
    assert await kinds(made, customer) == ["instalment", "instalment"]
    is_away[0] = True
    assert await kinds(made, customer) == ["instalment", "instalment"]


async def test_a_service_that_cannot_be_read_stays_as_it_was_saved(
    subscriptions: tuple[Subscriptions, OddWhmcs, list[bool]], customer: Customer
) -> None:
    made, gateway, _ = subscriptions
    first, second = gateway.services
    await made.freshness.read(customer)
    gateway.services, gateway.odd = [replace(first, status="suspended"), second], second.id

    def shown(rows: list[Subscription]) -> list[tuple[int, str]]:
        return sorted((row.id, row.status) for row in rows)

    assert await made.freshness.read(customer) is True
    found = await made.subscriptions_for(customer)
    assert shown(found.rows) == [(first.id, "suspended"), (second.id, "active")] and found.as_of is None
    assert await made.freshness.read(customer) is False
    gateway.services = gateway.services[:1]
    assert await made.freshness.read(customer) is True
    assert shown((await made.subscriptions_for(customer)).rows) == [(first.id, "suspended")]


async def test_an_invoice_that_cannot_be_read_stays_and_the_others_are_as_fresh_as_before(
    web: Database, billing_services_of: Callable[..., BillingServices], customer: Customer
) -> None:
    gateway, first, second = OddWhmcs(), bill(customer.whmcs_client_id), bill(customer.whmcs_client_id)
    gateway.bills = {first.id: first, second.id: second}
    billing_services = billing_services_of(web, gateway)
    await billing_services.billing.invoices_for(customer)
    gateway.odd = second.id
    gateway.bills[first.id] = replace(first, status="cancelled")
    await billing_services.billing.mark_stale(customer)
    assert (await billing_services.billing.invoices_for(customer)).as_of is None
    found = await mirrored(billing_services, customer)
    assert [found[each.id].status for each in (first, second)] == ["cancelled", "unpaid"]


async def test_the_page_of_an_unreadable_invoice_says_so_and_shows_what_was_saved(
    web: Database, billing_services_of: Callable[..., BillingServices], customer: Customer
) -> None:
    gateway, known, never_read = OddWhmcs(), bill(customer.whmcs_client_id), bill(customer.whmcs_client_id)
    gateway.bills = {known.id: known}
    billing = billing_services_of(web, gateway).billing
    assert (await billing.invoice_for(customer, known.id)).is_unreadable is False
    gateway.odd = known.id
    await billing.mark_stale(customer)
    shown = await billing.invoice_for(customer, known.id)
    assert (shown.invoice.id, shown.is_unreadable) == (known.id, True) and shown.as_of is not None
    # Never read: neither "not found" nor "billing is away".
    gateway.odd = never_read.id
    with pytest.raises(Unreadable):
        await billing.invoice_for(customer, never_read.id)
    gateway.odd = 0
    with pytest.raises(NotFound):
        await billing.invoice_for(customer, never_read.id)
