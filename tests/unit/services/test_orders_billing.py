"""Orders are placed once; invoices are read, saved, and only ever the customer's own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.checkout.request import OrderRequest
from portal_app.domain.errors import Conflict, ExternalUnavailable, InvalidInput, KeyReused, NotAllowed, NotFound
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import LiveUpdates
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.security.tokens import RandomTokens
from portal_app.infra.settings import Settings
from portal_app.services.billing.invoices import Billing
from portal_app.services.billing.payment_methods import Payments
from portal_app.services.billing.whmcs_sso import WhmcsSso
from portal_app.services.catalog.catalog import Catalog
from portal_app.services.checkout.checkout import Checkout, CheckoutContext
from portal_app.services.checkout.drafts import Drafts
from portal_app.services.idempotency import Idempotency
from portal_app.services.identity.context import ServiceContext
from portal_app.services.internet.eligibility import EligibilityChecks
from portal_app.services.internet.eligibility_answers import EligibilityAnswers
from portal_app.services.orders.orders import Orders
from tests.placing import place_order
from tests.unit.conftest import new_user
from tests.unit.services.conftest import Written
from tests.unit.services.vendors import PLAN, Agents, Shelf, Till

_NUMBERS = count(1000)


def bill(customer: Customer, *, total: int = 1078) -> Invoice:
    nothing = Money(0)
    return Invoice(
        id=next(_NUMBERS),
        number="",
        client_id=customer.whmcs_client_id,
        status="unpaid",
        issued_on=None,
        due_on=None,
        paid_at=None,
        subtotal=nothing,
        tax=nothing,
        credit=nothing,
        total=Money(total),
    )


@dataclass
class Shop:
    """The services under test, joined to vendors in memory."""

    orders: Orders
    idempotency: Idempotency
    drafts: Drafts
    billing: Billing
    payments: Payments
    catalog: Catalog
    shelf: Shelf
    till: Till
    checks: EligibilityChecks
    answers: EligibilityAnswers
    agents: Agents


@pytest.fixture
async def shop(settings: Settings, web: Database, worker: Database, redis: Redis, identity: ServiceContext) -> Shop:
    cache, shelf, till, agents = Cache(redis), Shelf(), Till(), Agents()
    email_outbox, queue = identity.email_outbox, identity.queue
    live = LiveUpdates(redis, cache)
    parts: Any = (settings, web, cache, till)
    catalog, links = Catalog(cache, shelf, till, reads=identity.reads), WhmcsSso(settings, web, till)  # type: ignore[arg-type]
    billing = Billing(*parts, live=live, sso=links)
    payments = Payments(*parts, live=live, sso=links)
    await catalog.invalidate()
    checks = EligibilityChecks(identity, agents, till, live)  # type: ignore[arg-type]
    answers = EligibilityAnswers(worker, agents, email_outbox=email_outbox, live=live)  # type: ignore[arg-type]
    vendors: Any = {"payments": payments, "subscriptions": till, "profiles": till, "checks": checks, "identity": till}
    checkout = Checkout(settings, catalog, CheckoutContext(**vendors))
    drafts = Drafts(web, checkout)
    once = Idempotency(settings, web, RandomTokens("secret"))
    orders = Orders(web, checkout, drafts, email_outbox=email_outbox, queue=queue, live=live)
    return Shop(orders, once, drafts, billing, payments, catalog, shelf, till, checks, answers, agents)


@pytest.fixture
async def make_customer(web: Database, ring: KeyRing) -> Callable[[], object]:
    async def make() -> Customer:
        number = next(_NUMBERS)
        return Customer(await new_user(web, ring), number, f"001{number}", f"003{number}", f"C{number:08d}")

    return make


@pytest.fixture
async def customer(make_customer: Callable[[], object]) -> Customer:
    return await make_customer()  # type: ignore[misc]


async def place(shop: Shop, customer: Customer, *, key: str, sku: str = PLAN.sku) -> UUID:
    return (
        await place_order(shop, customer, OrderRequest(sku, has_accepted_terms=True), key=key, recipient="a@example.jp")
    ).id


async def test_twenty_submits_with_one_key_make_one_order_one_work_and_one_mail(
    shop: Shop, customer: Customer, written: Written
) -> None:
    key = uuid4().hex
    ids = await asyncio.gather(*(place(shop, customer, key=key) for _ in range(20)))
    assert len(set(ids)) == 1
    for query in (
        "SELECT count(*) FROM orders WHERE user_id = :u",
        "SELECT count(*) FROM mails WHERE user_id = :u AND occasion = 'order_received'",
        "SELECT count(*) FROM audit WHERE user_id = :u AND tag = 'order:order:placed'",
    ):
        assert await written.number(query, u=customer.user_id) == 1
    query = "SELECT count(*) FROM dbos.workflow_status WHERE workflow_uuid = :id"
    assert await written.number(query, id=f"hand-over-{ids[0]}") == 1


async def test_a_key_that_was_used_for_something_else_is_refused(shop: Shop, customer: Customer) -> None:
    shop.shelf.stock.append(replace(PLAN, sku="VPN-2"))
    key = uuid4().hex
    await place(shop, customer, key=key)
    with pytest.raises(KeyReused):
        await place(shop, customer, key=key, sku="VPN-2")


async def test_two_customers_may_use_the_same_key(shop: Shop, make_customer: Callable, customer: Customer) -> None:
    key, other = uuid4().hex, await make_customer()
    mine, theirs = await place(shop, customer, key=key), await place(shop, other, key=key)
    assert mine != theirs
    with pytest.raises(NotFound):
        await shop.orders.order_for(customer, theirs)
    assert [order.id for order in await shop.orders.orders_for(customer)] == [mine]


async def test_the_price_is_the_catalogues_and_is_kept_when_it_changes_later(shop: Shop, customer: Customer) -> None:
    key = uuid4().hex
    order_id = await place(shop, customer, key=key)
    shop.shelf.stock[0] = replace(PLAN, price=Money(1))
    await shop.catalog.invalidate()
    assert (await shop.orders.order_for(customer, order_id)).order.monthly == Money(980)
    assert await place(shop, customer, key=key) == order_id


async def test_without_a_payment_method_nothing_is_ordered_and_the_key_stays_free(
    shop: Shop, customer: Customer
) -> None:
    cards, shop.till.cards = shop.till.cards, []
    key = uuid4().hex
    with pytest.raises(InvalidInput) as caught:
        await place(shop, customer, key=key)
    assert set(caught.value.fields) == {"payment"}
    shop.till.cards = cards
    await shop.payments.invalidate_methods(customer)
    assert await place(shop, customer, key=key)


async def test_while_billing_is_away_nothing_is_ordered(shop: Shop, customer: Customer) -> None:
    shop.till.is_away = True
    with pytest.raises(ExternalUnavailable):
        await place(shop, customer, key=uuid4().hex)
    assert await shop.orders.orders_for(customer) == []


@pytest.mark.parametrize("sku", ["HIDDEN", "CLOSED", "ALONG", "", "VPN-1' OR '1'='1"])
async def test_what_is_not_sold_cannot_be_ordered(shop: Shop, customer: Customer, sku: str) -> None:
    shop.shelf.stock += [
        replace(PLAN, sku="HIDDEN", choosable=False),
        replace(PLAN, sku="CLOSED", orderable=False),
        replace(PLAN, sku="ALONG", item_class="activation", auto_add=True, choosable=False),
    ]
    with pytest.raises(NotFound):
        await place(shop, customer, key=uuid4().hex, sku=sku)


@pytest.mark.parametrize("billed", [{}, {1: {"monthly": Money(981)}}, {1: {"onetime": Money(980)}}])
async def test_what_would_be_billed_otherwise_than_shown_cannot_be_ordered(
    shop: Shop, customer: Customer, billed: dict[int, dict[str, Money]]
) -> None:
    shop.till.prices = billed
    assert not (await shop.catalog.plan(PLAN.sku)).is_orderable
    assert REGISTRY.get_sample_value("portal_catalog_price_differences") == 1
    with pytest.raises(Conflict):
        await place(shop, customer, key=uuid4().hex)
    shop.till.prices = {1: {"monthly": PLAN.price}}
    await shop.catalog.invalidate()
    assert (await shop.catalog.plan(PLAN.sku)).is_orderable
    assert REGISTRY.get_sample_value("portal_catalog_price_differences") == 0


async def test_while_billing_is_away_plans_are_shown_but_not_orderable(shop: Shop) -> None:
    shop.till.is_away = True
    assert not (await shop.catalog.plan(PLAN.sku)).is_orderable
    shop.till.is_away = False
    assert (await shop.catalog.plan(PLAN.sku)).is_orderable


async def test_a_plan_that_is_not_sold_online_is_refused_at_the_service(shop: Shop, customer: Customer) -> None:
    shop.shelf.stock.append(replace(PLAN, sku="OTHER-1", category="other"))
    with pytest.raises(NotAllowed):
        await place(shop, customer, key=uuid4().hex, sku="OTHER-1")


@pytest.mark.parametrize("key", ["", "short", "x" * 201, "with\nline", "キーキーキーキー"])
async def test_a_malformed_key_is_refused(shop: Shop, customer: Customer, key: str) -> None:
    with pytest.raises(InvalidInput):
        await place(shop, customer, key=key)


async def test_while_billing_is_away_saved_invoices_are_shown_with_their_age(shop: Shop, customer: Customer) -> None:
    invoice = bill(customer)
    shop.till.bills[invoice.id] = invoice
    assert (await shop.billing.invoices_for(customer)).as_of is None
    await shop.billing.mark_stale(customer)
    shop.till.is_away = True
    saved = await shop.billing.invoices_for(customer)
    assert saved.listing.rows == (invoice,)
    assert saved.as_of is not None
    assert abs((datetime.now(UTC) - saved.as_of).total_seconds()) < 30
    assert (await shop.billing.invoice_for(customer, invoice.id)).as_of is not None


async def test_somebody_elses_invoice_is_not_found_neither_live_nor_saved(
    shop: Shop, make_customer: Callable, customer: Customer
) -> None:
    other = await make_customer()
    invoice = bill(other)
    shop.till.bills[invoice.id] = invoice
    await shop.billing.invoices_for(other)
    with pytest.raises(NotFound):
        await shop.billing.invoice_for(customer, invoice.id)
    with pytest.raises(NotFound):
        await shop.billing.pay_link(customer, invoice.id)
    assert shop.till.links == []
    await shop.billing.invoices_for(customer)
    shop.till.is_away = True
    for number in (invoice.id, 99_999_999_999):
        with pytest.raises(NotFound):
            await shop.billing.invoice_for(customer, number)


async def test_a_sign_on_link_is_audited_and_never_kept(shop: Shop, customer: Customer, written: Written) -> None:
    await shop.payments.add_card_link(customer, back_to="http://localhost:3000/checkout")
    query = "SELECT count(*) FROM audit WHERE user_id = :u AND tag = 'billing:sign_on:opened'"
    assert await written.number(query, u=customer.user_id) == 1
    query = "SELECT count(*) FROM audit WHERE user_id = :u AND detail::text LIKE '%://%'"
    assert await written.number(query, u=customer.user_id) == 0
