"""Each hook point of WHMCS: what a customer sees is read again and pushed to open pages; the known is not echoed."""

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
from tests.unit.services.bills import LateBills, bill, service
from tests.unit.services.desks import Desk, mirrored, told
from tests.unit.services.hook_points import CARDS, EXPECTED, INVOICE, MONEY, SERVICE
from tests.unit.services.test_mirrors import desk_of, make_customer
from tests.unit.services.vendors import CARD

__all__ = ["desk_of", "make_customer"]


@dataclass
class WholeBills(LateBills):
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


async def seen(desk: Desk, customer: Customer, bills: WholeBills) -> set[str]:
    """Return what a customer sees as it is at WHMCS now."""
    invoice, one = next(iter(bills.bills.values())), next(iter(bills.services.values()))
    true = {
        INVOICE: (await mirrored(desk, customer))[invoice.id].status == invoice.status,
        SERVICE: (await desk.subscriptions.mirror.all(customer))[0] == one,
        CARDS: await desk.payments.payment_methods_for(customer) == bills.cards,
        MONEY: await desk.payments.transactions_for(customer) == bills.paid,
    }
    return {name for name, is_true in true.items() if is_true}


def test_every_hook_point_is_expected() -> None:
    assert EXPECTED.keys() == HOOKS.keys()


@pytest.mark.parametrize("kind", EXPECTED)
async def test_what_a_hook_tells_of_is_seen_at_once_and_told_once(
    worker: Database,
    redis: Redis,
    desk_of: Callable[..., Desk],
    make_customer: Callable[[], Awaitable[Customer]],
    kind: str,
) -> None:
    customer, (names, expected) = await make_customer(), EXPECTED[kind]
    client = customer.whmcs_client_id
    bills, invoice, one = WholeBills(None, [client]), bill(client), service(client)  # type: ignore[arg-type]
    bills.bills, bills.services = {invoice.id: invoice}, {one.id: one}
    desk = desk_of(worker, bills)
    await desk.upkeep.read(customer)
    assert len(await seen(desk, customer, bills)) == 4
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
        await desk.changes.apply(event)
        assert await seen(desk, customer, bills) == expected
        assert await told(heard, redis, customer) == bool(expected)
        await desk.changes.apply(event)
        assert not await told(heard, redis, customer)


async def test_credit_that_staff_give_reaches_the_open_pages_of_those_who_saw_it(
    worker: Database,
    redis: Redis,
    desk_of: Callable[..., Desk],
    make_customer: Callable[[], Awaitable[Customer]],
) -> None:
    """No hook tells of it: the reconcile finds it, or a hook that tells of something else, once."""
    customer, stranger = await make_customer(), await make_customer()
    clients = [each.whmcs_client_id for each in (customer, stranger)]
    bills = WholeBills(None, clients)  # type: ignore[arg-type]
    desk = desk_of(worker, bills)
    assert (await desk.payments.credit_for(customer)).balance == Money(0)
    for each in (customer, stranger):
        await desk.upkeep.read(each)
    async with redis.pubsub() as heard:
        await heard.subscribe("portal:live")
        bills.balance = Money(500)
        assert [await desk.upkeep.read(each) for each in (customer, stranger)] == [True, False]
        assert await told(heard, redis, customer)
        assert (await desk.payments.credit_for(customer)).balance == Money(500)
        assert not await desk.upkeep.read(customer)
        bills.balance = Money(300)
        edit = InboundEvent("whmcs", str(uuid4()), "ClientEdit", {"client_id": customer.whmcs_client_id})
        await desk.changes.apply(edit)
        assert await told(heard, redis, customer)
        await desk.changes.apply(edit)
        assert not await told(heard, redis, customer)
    assert (await desk.payments.credit_for(customer)).balance == Money(300)


@pytest.mark.parametrize("kind", ["InvoicePaid", "InvoiceCreated", "DeleteOrder"])
async def test_a_hook_of_an_invoice_reads_it_once(
    worker: Database,
    desk_of: Callable[..., Desk],
    make_customer: Callable[[], Awaitable[Customer]],
    kind: str,
) -> None:
    """Whose it is and what it says come with one call; so does each of the two tries of an early hook."""
    customer = await make_customer()
    bills, invoice = WholeBills(None, [customer.whmcs_client_id]), bill(customer.whmcs_client_id)  # type: ignore[arg-type]
    bills.bills = {invoice.id: invoice}
    desk = desk_of(worker, bills)
    await desk.upkeep.read(customer)
    bills.bills[invoice.id] = replace(invoice, status="paid", balance=Money(0))
    event = InboundEvent("whmcs", str(uuid4()), kind, {"invoice_id": invoice.id})
    for tries in (1, 2):
        bills.invoice_reads = 0
        await desk.changes.apply(event)
        assert bills.invoice_reads == 1, tries
    assert (await mirrored(desk, customer))[invoice.id].status == "paid"


async def test_a_hook_of_an_invoice_that_moved_reads_it_once_for_both_customers(
    worker: Database, desk_of: Callable[..., Desk], make_customer: Callable[[], Awaitable[Customer]]
) -> None:
    before, after = await make_customer(), await make_customer()
    bills, invoice = WholeBills(None, []), bill(before.whmcs_client_id)  # type: ignore[arg-type]
    bills.bills = {invoice.id: invoice}
    desk = desk_of(worker, bills)
    await desk.upkeep.read(before)
    bills.bills[invoice.id] = replace(invoice, client_id=after.whmcs_client_id)
    bills.invoice_reads = 0
    await desk.changes.apply(InboundEvent("whmcs", str(uuid4()), "UpdateInvoiceTotal", {"invoice_id": invoice.id}))
    assert (bills.invoice_reads, await mirrored(desk, before)) == (1, {})
    assert list(await mirrored(desk, after)) == [invoice.id]
