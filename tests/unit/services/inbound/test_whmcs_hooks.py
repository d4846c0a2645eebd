"""Each hook point of WHMCS: changed data are read again and pushed to open pages; unchanged data are not pushed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from portal_app.domain.billing.credit import Credit
from portal_app.domain.billing.invoice import PaymentMethod, Transaction
from portal_app.domain.inbound_event import InboundEvent
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.services.inbound.whmcs_hooks import HOOKS
from tests.support.vendors.billing_fixtures import billing_services_of, make_customer
from tests.support.vendors.billing_services import BillingServices, is_published, mirrored
from tests.support.vendors.fake_vendors import CARD
from tests.support.vendors.hook_points import CARDS, EXPECTED, INVOICE, MONEY, SERVICE
from tests.support.vendors.late_bills import DelayedWhmcs, bill, service

__all__ = ["billing_services_of", "make_customer"]


@dataclass
class FullWhmcs(DelayedWhmcs):
    """A billing system with cards and transactions too."""

    cards: list[PaymentMethod] = field(default_factory=lambda: [CARD])
    paid: list[Transaction] = field(default_factory=list)
    balance: Money = field(default_factory=lambda: Money(0))

    async def credit(self, client_id: int) -> Credit:
        return Credit(self.balance, [])

    async def payment_methods(self, client_id: int) -> list[PaymentMethod]:
        return self.cards

    async def transactions(self, client_id: int) -> list[Transaction]:
        return self.paid


async def seen(billing_services: BillingServices, customer: Customer, bills: FullWhmcs) -> set[str]:
    """Return the present data of a customer at WHMCS."""
    invoice, one = next(iter(bills.bills.values())), next(iter(bills.services.values()))
    true = {
        INVOICE: (await mirrored(billing_services, customer))[invoice.id].status == invoice.status,
        SERVICE: (await billing_services.subscriptions.mirror.all(customer))[0] == one,
        CARDS: await billing_services.payments.payment_methods_for(customer) == bills.cards,
        MONEY: await billing_services.payments.transactions_for(customer) == bills.paid,
    }
    return {name for name, is_true in true.items() if is_true}


def test_every_hook_point_is_expected() -> None:
    assert EXPECTED.keys() == HOOKS.keys()


@pytest.mark.parametrize("kind", EXPECTED)
async def test_a_change_named_by_a_hook_is_visible_at_once_and_pushed_once(
    worker: Database,
    redis: Redis,
    billing_services_of: Callable[..., BillingServices],
    make_customer: Callable[[], Awaitable[Customer]],
    kind: str,
) -> None:
    customer, (names, expected) = await make_customer(), EXPECTED[kind]
    client = customer.whmcs_client_id
    bills, invoice, one = FullWhmcs(None, [client]), bill(client), service(client)  # type: ignore[arg-type]
    bills.bills, bills.services = {invoice.id: invoice}, {one.id: one}
    billing_services = billing_services_of(worker, bills)
    await billing_services.mirror_refresh.read(customer)
    assert len(await seen(billing_services, customer, bills)) == 4
    bills.bills[invoice.id] = replace(invoice, status="paid", balance=Money(0))
    bills.services[one.id] = replace(one, status="suspended")
    bills.cards, bills.paid = (
        [replace(CARD, last_four="0001")],
        [Transaction(1, client, invoice.id, None, "stripe", "", Money(1078), "ch_1")],
    )
    ids = {"client_id": client, "invoice_id": invoice.id, "new_invoice_id": invoice.id, "service_id": one.id}
    ids |= {"order_id": one.order_id, "upgrade_id": 1}
    event = InboundEvent("whmcs", str(uuid4()), kind, {name: ids[name] for name in names})
    async with redis.pubsub() as heard:
        await heard.subscribe("portal:live")
        await billing_services.changes.apply(event)
        assert await seen(billing_services, customer, bills) == expected
        assert await is_published(heard, redis, customer) == bool(expected)
        await billing_services.changes.apply(event)
        assert not await is_published(heard, redis, customer)


async def test_credit_that_staff_give_reaches_the_open_pages_of_those_who_saw_it(
    worker: Database,
    redis: Redis,
    billing_services_of: Callable[..., BillingServices],
    make_customer: Callable[[], Awaitable[Customer]],
) -> None:
    """No hook names it: the reconcile finds it, or a hook for something else, once."""
    customer, stranger = await make_customer(), await make_customer()
    clients = [each.whmcs_client_id for each in (customer, stranger)]
    bills = FullWhmcs(None, clients)  # type: ignore[arg-type]
    billing_services = billing_services_of(worker, bills)
    assert (await billing_services.payments.credit_for(customer)).balance == Money(0)
    for each in (customer, stranger):
        await billing_services.mirror_refresh.read(each)
    async with redis.pubsub() as heard:
        await heard.subscribe("portal:live")
        bills.balance = Money(500)
        assert [await billing_services.mirror_refresh.read(each) for each in (customer, stranger)] == [True, False]
        assert await is_published(heard, redis, customer)
        assert (await billing_services.payments.credit_for(customer)).balance == Money(500)
        assert not await billing_services.mirror_refresh.read(customer)
        bills.balance = Money(300)
        edit = InboundEvent("whmcs", str(uuid4()), "ClientEdit", {"client_id": customer.whmcs_client_id})
        await billing_services.changes.apply(edit)
        assert await is_published(heard, redis, customer)
        await billing_services.changes.apply(edit)
        assert not await is_published(heard, redis, customer)
    assert (await billing_services.payments.credit_for(customer)).balance == Money(300)


@pytest.mark.parametrize("kind", ["InvoicePaid", "InvoiceCreated", "DeleteOrder"])
async def test_a_hook_of_an_invoice_reads_it_once(
    worker: Database,
    billing_services_of: Callable[..., BillingServices],
    make_customer: Callable[[], Awaitable[Customer]],
    kind: str,
) -> None:
    """Owner and contents come with one call, also for each of the two tries of an early hook."""
    customer = await make_customer()
    bills, invoice = FullWhmcs(None, [customer.whmcs_client_id]), bill(customer.whmcs_client_id)  # type: ignore[arg-type]
    bills.bills = {invoice.id: invoice}
    billing_services = billing_services_of(worker, bills)
    await billing_services.mirror_refresh.read(customer)
    bills.bills[invoice.id] = replace(invoice, status="paid", balance=Money(0))
    event = InboundEvent("whmcs", str(uuid4()), kind, {"invoice_id": invoice.id})
    for tries in (1, 2):
        bills.invoice_reads = 0
        await billing_services.changes.apply(event)
        assert bills.invoice_reads == 1, tries
    assert (await mirrored(billing_services, customer))[invoice.id].status == "paid"


async def test_a_hook_of_an_invoice_that_moved_reads_it_once_for_both_customers(
    worker: Database,
    billing_services_of: Callable[..., BillingServices],
    make_customer: Callable[[], Awaitable[Customer]],
) -> None:
    before, after = await make_customer(), await make_customer()
    bills, invoice = FullWhmcs(None, []), bill(before.whmcs_client_id)  # type: ignore[arg-type]
    bills.bills = {invoice.id: invoice}
    billing_services = billing_services_of(worker, bills)
    await billing_services.mirror_refresh.read(before)
    bills.bills[invoice.id] = replace(invoice, client_id=after.whmcs_client_id)
    bills.invoice_reads = 0
    await billing_services.changes.apply(
        InboundEvent("whmcs", str(uuid4()), "UpdateInvoiceTotal", {"invoice_id": invoice.id})
    )
    assert (bills.invoice_reads, await mirrored(billing_services, before)) == (1, {})
    assert list(await mirrored(billing_services, after)) == [invoice.id]
