"""In any order of hooks and answers, and whichever are lost, the mirrors end equal to WHMCS."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from portal_app.domain.billing.invoice_list import InvoiceQuery, Invoices
from portal_app.domain.errors import ExternalUnavailable, NotFound
from portal_app.domain.inbound_event import InboundEvent
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.models.mirror import MirrorState
from tests.support.vendors.billing_fixtures import billing_services_of, customer, make_customer
from tests.support.vendors.billing_services import BillingServices, is_published, mirrored, untruths
from tests.support.vendors.fake_vendors import FakeWhmcs, listed
from tests.support.vendors.late_bills import DelayedWhmcs, Hook, bill, service

__all__ = ["billing_services_of", "customer", "make_customer"]


async def deliver(billing_services: BillingServices, hook: Hook) -> None:
    await billing_services.changes.apply(InboundEvent("whmcs", str(uuid4()), hook[0], dict(hook[1])))


@dataclass
class Traffic:
    """Running reads; each one waits at its call until its answer is released."""

    bills: DelayedWhmcs
    under_way: set[asyncio.Task[Any]] = field(default_factory=set)

    async def begin(self, work: Coroutine[Any, Any, Any]) -> None:
        self.under_way.add(asyncio.create_task(work))
        await self._moved()

    async def let_go(self, place: int) -> None:
        self.bills.let_go(place)
        await self._moved()

    async def end(self) -> None:
        """Release all answers, the latest first: the oldest reads arrive last."""
        while self.under_way:
            await self.let_go(-1) if self.bills.held else await self._moved()

    async def _moved(self) -> None:
        """Wait until one read has ended or calls again."""
        self.bills.has_held.clear()
        asks = asyncio.create_task(self.bills.has_held.wait())
        done, _ = await asyncio.wait({asks, *self.under_way}, return_when=asyncio.FIRST_COMPLETED)
        asks.cancel()
        for task in done & self.under_way:
            task.result()
        self.under_way -= done


@pytest.mark.parametrize("lost", [0.0, 0.4], ids="{:.0%} lost".format)
@pytest.mark.parametrize("seed", range(4))
async def test_mirrors_equal_whmcs_after_shuffled_doubled_and_lost_hooks(
    worker: Database,
    billing_services_of: Callable[..., BillingServices],
    make_customer: Callable[[], Awaitable[Customer]],
    seed: int,
    lost: float,
) -> None:
    chance, customers = random.Random(seed), [await make_customer() for _ in range(2)]
    bills = DelayedWhmcs(chance, [one.whmcs_client_id for one in customers])
    bills.bills = {one.id: one for one in (bill(client) for client in bills.clients * 3)}
    bills.services = {one.id: one for one in (service(client) for client in bills.clients)}
    billing_services, traffic, kept_back = billing_services_of(worker, bills), Traffic(bills), []
    for one in customers:
        await billing_services.mirror_refresh.read(one)
    bills.is_late = True
    for _ in range(40):
        hook = bills.change()
        kept_back += [hook] * (0 if chance.random() < lost else chance.choice([1, 1, 2]))
        while kept_back and chance.random() < 0.6:
            await traffic.begin(deliver(billing_services, kept_back.pop(chance.randrange(len(kept_back)))))
        if chance.random() < 0.1:
            await traffic.begin(billing_services.mirror_refresh.read(chance.choice(customers)))
        while bills.held and chance.random() < 0.4:
            await traffic.let_go(chance.randrange(len(bills.held)))
    for hook in kept_back:
        await traffic.begin(deliver(billing_services, hook))
    if lost:
        for one in customers:
            await traffic.begin(billing_services.mirror_refresh.read(one))
    await traffic.end()
    assert await untruths(billing_services, bills, customers) == []


async def test_an_older_read_never_overwrites_a_newer_one(
    web: Database, billing_services_of: Callable[..., BillingServices], customer: Customer
) -> None:
    billing_services, invoice = billing_services_of(web, FakeWhmcs()), bill(customer.whmcs_client_id)
    keeper, earlier = billing_services.billing._writer, await billing_services.billing.freshness.clock()
    later = await billing_services.billing.freshness.clock()
    await keeper.write_one(customer, replace(invoice, status="paid"), asked_at=later)
    assert not await keeper.write_one(customer, invoice, asked_at=earlier)
    await keeper.write_list(customer, [listed(invoice)], asked_at=earlier)
    assert (await mirrored(billing_services, customer))[invoice.id].status == "paid"


async def test_an_older_read_does_not_restore_a_deleted_invoice(
    web: Database, billing_services_of: Callable[..., BillingServices], customer: Customer
) -> None:
    billing_services, invoice = billing_services_of(web, FakeWhmcs()), bill(customer.whmcs_client_id)
    keeper, clock = billing_services.billing._writer, billing_services.billing.freshness.clock
    await keeper.write_one(customer, invoice, asked_at=await clock())
    earlier = await clock()
    await keeper.forget(customer, invoice.id, asked_at=await clock())
    await keeper.write_one(customer, invoice, asked_at=earlier)
    await keeper.write_list(customer, [listed(invoice)], asked_at=earlier)
    assert await mirrored(billing_services, customer) == {}
    await keeper.write_list(customer, [], asked_at=await clock())
    await keeper.write_one(customer, invoice, asked_at=earlier)
    assert await mirrored(billing_services, customer) == {}


async def test_an_invoice_that_moves_is_seen_by_its_new_owner_alone(
    worker: Database,
    billing_services_of: Callable[..., BillingServices],
    make_customer: Callable[[], Awaitable[Customer]],
) -> None:
    before, after = await make_customer(), await make_customer()
    fake_whmcs, invoice = DelayedWhmcs(random.Random(1), []), bill(before.whmcs_client_id)
    billing_services = billing_services_of(worker, fake_whmcs)
    fake_whmcs.bills[invoice.id] = invoice
    await billing_services.mirror_refresh.read(before)
    fake_whmcs.bills[invoice.id] = replace(invoice, client_id=after.whmcs_client_id)
    await deliver(billing_services, ("UpdateInvoiceTotal", {"invoice_id": invoice.id}))
    assert (await mirrored(billing_services, before), list(await mirrored(billing_services, after))) == (
        {},
        [invoice.id],
    )


async def test_a_slow_billing_system_is_read_in_the_background_while_the_mirror_answers(
    web: Database, billing_services_of: Callable[..., BillingServices], customer: Customer
) -> None:
    fake_whmcs, first, second = FakeWhmcs(), bill(customer.whmcs_client_id), bill(customer.whmcs_client_id)
    waiting, billing_services = (
        billing_services_of(web, fake_whmcs),
        billing_services_of(web, fake_whmcs, mirror_patience_seconds=0.1),
    )
    fake_whmcs.bills[first.id] = first
    await waiting.billing.invoices_for(customer)
    fake_whmcs.bills[second.id], fake_whmcs.is_slow = second, asyncio.Event()
    await billing_services.billing.mark_stale(customer)
    saved = await billing_services.billing.invoices_for(customer)
    assert saved.as_of is not None and [one.id for one in saved.listing.rows] == [first.id]
    fake_whmcs.is_slow.set()
    fresh = await waiting.billing.invoices_for(customer)
    assert fresh.as_of is None and {one.id for one in fresh.listing.rows} == {first.id, second.id}
    assert fake_whmcs.asked.count("invoices") == 2


async def test_a_slow_first_read_is_unknown_not_empty(
    web: Database, billing_services_of: Callable[..., BillingServices], customer: Customer
) -> None:
    fake_whmcs = FakeWhmcs(is_slow=asyncio.Event())
    waiting, billing_services = (
        billing_services_of(web, fake_whmcs),
        billing_services_of(web, fake_whmcs, mirror_patience_seconds=0.1),
    )
    for ask in (
        billing_services.billing.invoices_for(customer),
        billing_services.subscriptions.subscriptions_for(customer),
    ):
        with pytest.raises(ExternalUnavailable):
            await ask
    with pytest.raises(ExternalUnavailable):
        await billing_services.billing.invoice_for(customer, 5)
    fake_whmcs.is_slow.set()
    assert (await waiting.billing.invoices_for(customer)).listing.count == 0
    with pytest.raises(NotFound):
        await waiting.billing.invoice_for(customer, 5)


async def test_concurrent_readers_call_the_billing_system_once(
    web: Database, billing_services_of: Callable[..., BillingServices], customer: Customer
) -> None:
    fake_whmcs = FakeWhmcs()
    processes = [billing_services_of(web, fake_whmcs, mirror_patience_seconds=60.0) for _ in range(2)]
    await asyncio.gather(*(billing_services.billing.invoices_for(customer) for billing_services in processes * 10))
    assert fake_whmcs.asked == ["invoices"]


@pytest.mark.parametrize(
    ("query", "totals"),
    [
        (InvoiceQuery(), [300, 200, 100, 400]),
        (InvoiceQuery(descending=False), [400, 100, 200, 300]),
        (InvoiceQuery(sort="total"), [400, 300, 200, 100]),
        (InvoiceQuery(sort="due", descending=False), [100, 200, 300, 400]),
        (InvoiceQuery(status="due"), [200, 100]),
        (InvoiceQuery(status="overdue"), [100]),
        (InvoiceQuery(status="paid"), [300]),
        (InvoiceQuery(search="¥400"), [400]),
        (InvoiceQuery(search="-C"), [300]),
        (InvoiceQuery(search="%"), []),
        (InvoiceQuery(search="' OR 1=1 --"), []),
        (InvoiceQuery(limit=2, page=2), [100, 400]),
        (InvoiceQuery(limit=2, page=9), []),
    ],
    ids=repr,
)
async def test_the_mirror_filters_searches_sorts_and_pages(
    web: Database,
    billing_services_of: Callable[..., BillingServices],
    customer: Customer,
    query: InvoiceQuery,
    totals: list[int],
) -> None:
    fake_whmcs, client = FakeWhmcs(), customer.whmcs_client_id
    rows = [
        replace(bill(client, total=100, due_on=date(2020, 1, 1)), number="N-A", issued_on=date(2020, 1, 1)),
        replace(bill(client, total=200, due_on=date(2999, 1, 1)), number="N-B", issued_on=date(2021, 1, 1)),
        replace(
            bill(client, total=300, status="paid", due_on=date(2999, 2, 1)), number="N-C", issued_on=date(2022, 1, 1)
        ),
        replace(bill(client, total=400, status="cancelled"), number="N-D", issued_on=date(2019, 1, 1)),
    ]
    fake_whmcs.bills = {one.id: one for one in rows}
    listing = (await billing_services_of(web, fake_whmcs).billing.invoices_for(customer, query)).listing
    assert [one.total.minor for one in listing.rows] == totals
    assert (listing.count, listing.owed.due.minor, listing.owed.overdue.minor) == (4, 300, 100)


def as_bytes(found: Invoices) -> bytes:
    return " ".join(f"{one.id}:{one.status}" for one in found.listing.rows).encode()


async def test_reading_one_invoice_updates_the_cached_list(
    web: Database, redis: Redis, billing_services_of: Callable[..., BillingServices], customer: Customer
) -> None:
    fake_whmcs, invoice = FakeWhmcs(), bill(customer.whmcs_client_id)
    billing_services, fake_whmcs.bills[invoice.id] = billing_services_of(web, fake_whmcs), invoice
    await billing_services.billing.invoices_bytes(customer, InvoiceQuery(), as_bytes)
    fake_whmcs.bills[invoice.id] = replace(invoice, status="paid", balance=Money(0))
    async with redis.pubsub() as heard:
        await heard.subscribe("portal:live")
        assert (await billing_services.billing.invoice_for(customer, invoice.id)).invoice.status == "paid"
        assert await is_published(heard, redis, customer)
    text = await billing_services.billing.invoices_bytes(customer, InvoiceQuery(), as_bytes)
    assert text.decode() == f"{invoice.id}:paid"


async def test_a_cached_text_expires_with_the_list_it_was_made_from(
    web: Database,
    worker: Database,
    redis: Redis,
    billing_services_of: Callable[..., BillingServices],
    customer: Customer,
) -> None:
    billing_services, query = billing_services_of(web, FakeWhmcs(), cache_invoices_seconds=90), InvoiceQuery()
    await billing_services.billing.invoices_for(customer, query)
    async with worker.unit_of_work() as session:
        state = await MirrorState.locked(session, customer.user_id, "invoices")
        state.read_at -= timedelta(seconds=80)
    await billing_services.billing.invoices_bytes(customer, query, as_bytes)
    (name,) = [
        name
        async for name in redis.scan_iter(
            match=f"c:{billing_services.billing.cache_entry(customer.user_id, query).key}:*"
        )
    ]
    assert 0 < await redis.ttl(name) <= 10


async def test_an_answer_that_is_overtaken_by_a_hook_is_not_shown(
    web: Database, worker: Database, billing_services_of: Callable[..., BillingServices], customer: Customer
) -> None:
    fake_whmcs, invoice = DelayedWhmcs(random.Random(1), []), bill(customer.whmcs_client_id)
    fake_whmcs.bills[invoice.id], shown = invoice, []
    billing_services, hooks, traffic = (
        billing_services_of(web, fake_whmcs, cache_invoice_seconds=0),
        billing_services_of(worker, fake_whmcs),
        Traffic(fake_whmcs),
    )
    await hooks.mirror_refresh.read(customer)

    async def look() -> None:
        shown.append((await billing_services.billing.invoice_for(customer, invoice.id)).invoice.status)

    fake_whmcs.is_late = True
    await traffic.begin(look())
    await traffic.let_go(0)
    fake_whmcs.is_late, fake_whmcs.bills[invoice.id] = False, replace(invoice, status="paid", balance=Money(0))
    await deliver(hooks, ("InvoicePaid", {"invoice_id": invoice.id}))
    await traffic.end()
    assert shown == ["paid"]


async def test_the_sums_of_a_list_are_those_of_its_rows_while_it_is_written(
    web: Database, worker: Database, billing_services_of: Callable[..., BillingServices], customer: Customer
) -> None:
    client = customer.whmcs_client_id
    fake_whmcs = FakeWhmcs(bills={one.id: one for one in (bill(client, total=100) for _ in range(3))})
    billing_services, writer = billing_services_of(web, fake_whmcs), billing_services_of(worker, fake_whmcs)
    await writer.mirror_refresh.read(customer)

    async def grow() -> None:
        for _ in range(40):
            made = bill(client, total=100)
            fake_whmcs.bills[made.id] = made
            await writer.billing.freshness.read(customer)

    writing = asyncio.create_task(grow())
    while not writing.done():
        listing = await billing_services.billing.lists.listing(customer, InvoiceQuery(limit=1000))
        assert (listing.count, listing.owed.due.minor) == (len(listing.rows), 100 * len(listing.rows))
