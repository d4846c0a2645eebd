"""The dashboard: from saved data at once, however slow billing is and however many customers read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.checkout.options import SimOptions, options_to_json
from portal_app.domain.orders.steps import CASE_OPENED
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.models.kyc import IdentityCheckRow
from portal_app.models.mirror import MirrorState, database_time
from portal_app.models.order import OrderEventRow, OrderRow
from portal_app.services.billing.invoice_mirror import InvoiceMirrorWriter
from portal_app.services.billing.invoices import Billing
from portal_app.services.billing.payment_methods import Payments
from portal_app.services.billing.whmcs_sso import WhmcsSso
from portal_app.services.dashboard.summary import DashboardSummary
from portal_app.services.mirrors.cached_reads import CachedReads
from portal_app.services.subscriptions.subscriptions import Subscriptions
from portal_app.services.support.open_case_count import OpenCaseCount
from tests.support.vendors.billing_fixtures import make_customer
from tests.support.vendors.fake_vendors import CARD, FakeWhmcs, no_products
from tests.support.vendors.late_bills import bill
from tests.support.vendors.scripted_server import soon

__all__ = ["make_customer"]


@dataclass
class CountingWhmcs(FakeWhmcs):
    """A billing system that counts its calls per customer and the concurrent ones."""

    calls: list[tuple[str, int]] = field(default_factory=list)
    waiting: int = 0
    most_waiting: int = 0

    async def invoices(self, client_id: int) -> list[Invoice]:
        return await self._counted("invoices", client_id, super().invoices)

    async def subscriptions(self, client_id: int) -> list[Subscription]:
        return await self._counted("services", client_id, super().subscriptions)

    async def _counted(self, what: str, client_id: int, answer: Callable[[int], Awaitable[Any]]) -> Any:
        self.calls.append((what, client_id))
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        try:
            return await answer(client_id)
        finally:
            self.waiting -= 1


class FakeCases:
    """A Salesforce at which every customer has two open cases."""

    async def open_cases(self, sf_account_id: str) -> int:
        return 2


@pytest.fixture
async def overview_of(
    settings: Settings, redis: Redis, web: Database
) -> AsyncIterator[Callable[[Any], DashboardSummary]]:
    parts: list[Any] = []

    def make(gateway: Any) -> DashboardSummary:
        cache = Cache(redis)
        live = LiveUpdates(redis, cache)
        reads = CachedReads(settings, cache, live)
        links = WhmcsSso(settings, web, gateway)
        billing = Billing(settings, web, cache, gateway, live=live, sso=links)
        payments = Payments(settings, web, cache, gateway, live=live, sso=links)
        services = Subscriptions(settings, web, cache, gateway, products=no_products, live=live)
        cases = OpenCaseCount(FakeCases(), reads)
        overview = DashboardSummary(
            settings, web, billing=billing, payments=payments, subscriptions=services, cases=cases, cache=cache
        )
        parts.extend((billing.freshness, services.freshness, payments, reads, cache))
        return overview

    yield make
    for part in parts:
        await part.close()


async def age(worker: Database, customers: list[Customer]) -> None:
    """Note that WHMCS has moved on since their mirrors were read."""
    for customer in customers:
        for kind in ("invoices", "services"):
            async with worker.unit_of_work() as session:
                state = await MirrorState.locked(session, customer.user_id, kind)
                state.stale_at = state.read_at


async def test_a_crowd_is_answered_while_billing_is_silent_and_each_is_read_once(
    worker: Database, overview_of: Callable[[Any], DashboardSummary], make_customer: Callable[[], Awaitable[Customer]]
) -> None:
    fake_whmcs, customers = CountingWhmcs(), [await make_customer() for _ in range(12)]
    bills = {one.user_id: bill(one.whmcs_client_id) for one in customers}
    fake_whmcs.bills = {one.id: one for one in bills.values()}
    overviews = [overview_of(fake_whmcs), overview_of(fake_whmcs)]
    for customer in customers:
        await overviews[0].summary_for(customer)
    await age(worker, customers)
    fake_whmcs.calls.clear()
    fake_whmcs.most_waiting, fake_whmcs.is_slow = 0, asyncio.Event()
    for _ in range(2):
        found = await asyncio.gather(*(each.summary_for(one) for each in overviews for one in customers))
        assert all(one.as_of and one.owed and one.owed.due_count == 1 for one in found)
    fake_whmcs.is_slow.set()

    async def all_young() -> bool:
        return all([(await overviews[0].summary_for(one)).as_of is None for one in customers])

    await soon(all_young)
    read = {(what, one.whmcs_client_id) for what in ("invoices", "services") for one in customers}
    assert sorted(fake_whmcs.calls) == sorted(read)
    # Two processes with a few reads of each kind; more would delay the callers that wait.
    assert fake_whmcs.most_waiting <= 12


async def test_open_cases_are_unknown_until_they_were_counted(
    overview_of: Callable[[Any], DashboardSummary], make_customer: Callable[[], Awaitable[Customer]]
) -> None:
    overview, customer = overview_of(CountingWhmcs()), await make_customer()
    assert (await overview.summary_for(customer)).open_cases is None

    async def are_counted() -> bool:
        return (await overview.summary_for(customer)).open_cases == 2

    await soon(are_counted)


async def test_the_summary_does_not_wait_for_cards_and_open_pages_get_them_later(
    overview_of: Callable[[Any], DashboardSummary], make_customer: Callable[[], Awaitable[Customer]]
) -> None:
    fake_whmcs, customer = CountingWhmcs(), await make_customer()
    fake_whmcs.cards = [replace(CARD, expires="01/20")]
    overview = overview_of(fake_whmcs)
    await overview.summary_for(customer)

    async def shows_the_card() -> bool:
        return [task.kind for task in (await overview.summary_for(customer)).tasks] == ["card_expired"]

    await soon(shows_the_card)
    assert fake_whmcs.asked.count("methods") == 1


async def test_page_and_api_share_one_summary_until_something_changes(
    worker: Database,
    redis: Redis,
    overview_of: Callable[[Any], DashboardSummary],
    make_customer: Callable[[], Awaitable[Customer]],
) -> None:
    customer, bills = await make_customer(), 0
    web, elsewhere = overview_of(CountingWhmcs()), overview_of(CountingWhmcs())

    async def is_answered_from_the_cache() -> bool:
        """Add an invoice without a published change between two reads; background reads end after a while."""
        nonlocal bills
        before = await web.summary_for(customer)
        async with worker.unit_of_work() as session:
            asked_at = await database_time(session)
        await InvoiceMirrorWriter(worker).write_one(customer, bill(customer.whmcs_client_id), asked_at=asked_at)
        bills += 1
        return await elsewhere.summary_for(customer) == before

    await soon(is_answered_from_the_cache)
    await LiveUpdates(redis, Cache(redis)).publish(Change(customer.user_id, "billing"))
    for each in (web, elsewhere):
        owed = (await each.summary_for(customer)).owed
        assert owed is not None and owed.due_count == bills
    text = await web.summary_bytes(customer, lambda found: str(found.owed and found.owed.due_count).encode())
    assert text == str(bills).encode()


async def test_a_cached_summary_holds_no_answers_of_an_order(
    worker: Database, overview_of: Callable[[Any], DashboardSummary], make_customer: Callable[[], Awaitable[Customer]]
) -> None:
    overview, customer = overview_of(CountingWhmcs()), await make_customer()
    async with worker.unit_of_work() as session:
        options = options_to_json(SimOptions("esim", has_voice=False, eid="8904"))
        session.add(OrderRow(user_id=customer.user_id, category="sim", lines=[], options=options))
    (order,) = (await overview.summary_for(customer)).orders
    assert (order.options, order.address, order.category) == (None, None, "sim")


@pytest.mark.parametrize(
    ("step", "check", "words", "asks"),
    [
        ("waiting_for_card", None, "Waiting for you", True),
        ("waiting_for_identity", None, "Waiting for you", True),
        ("waiting_for_identity", "submitted", "With our team", False),
        ("waiting_for_identity", "rejected", "Waiting for you", True),
        ("failed_LINE_LATE", None, "With our team", False),
    ],
)
async def test_only_an_order_that_waits_for_its_customer_is_a_task(
    worker: Database,
    overview_of: Callable[[Any], DashboardSummary],
    make_customer: Callable[[], Awaitable[Customer]],
    step: str,
    check: str | None,
    words: str,
    asks: bool,
) -> None:
    overview, customer = overview_of(CountingWhmcs()), await make_customer()
    user = customer.user_id
    async with worker.unit_of_work() as session:
        order = OrderRow(user_id=user, category="sim", stage="needs_attention", lines=[])
        session.add(order)
        await session.flush()
        for minutes, name in enumerate(("approved", step, CASE_OPENED)):
            at = now() + timedelta(minutes=minutes)
            session.add(OrderEventRow(order_id=order.id, attempt=1, step=name, user_id=user, at=at))
        if check:
            session.add(IdentityCheckRow(user_id=user, status=check))
    found = await overview.summary_for(customer)
    assert [order.stage_text for order in found.orders] == [words]
    assert ("order_needs_attention" in [task.kind for task in found.tasks]) is asks
