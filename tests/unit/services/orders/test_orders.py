"""Orders are placed once; invoices are read, saved, and only ever the customer's own."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from portal_app.domain.checkout.request import OrderRequest
from portal_app.domain.errors import Conflict, ExternalUnavailable, InvalidInput, KeyReused, NotAllowed, NotFound
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from tests.support.clients.placing import place_order
from tests.support.values.written import Written
from tests.support.vendors.fake_vendors import PLAN
from tests.support.vendors.ordering import OrderingServices, bill, customer, make_customer, ordering

__all__ = ["customer", "make_customer", "ordering"]


async def place(ordering: OrderingServices, customer: Customer, *, key: str, sku: str = PLAN.sku) -> UUID:
    return (
        await place_order(
            ordering, customer, OrderRequest(sku, has_accepted_terms=True), key=key, recipient="a@example.jp"
        )
    ).id


async def test_twenty_submits_with_one_key_make_one_order_one_work_and_one_mail(
    ordering: OrderingServices, customer: Customer, written: Written
) -> None:
    key = uuid4().hex
    ids = await asyncio.gather(*(place(ordering, customer, key=key) for _ in range(20)))
    assert len(set(ids)) == 1
    for query in (
        "SELECT count(*) FROM orders WHERE user_id = :u",
        "SELECT count(*) FROM mails WHERE user_id = :u AND occasion = 'order_received'",
        "SELECT count(*) FROM audit WHERE user_id = :u AND tag = 'order:order:placed'",
    ):
        assert await written.number(query, u=customer.user_id) == 1
    query = "SELECT count(*) FROM dbos.workflow_status WHERE workflow_uuid = :id"
    assert await written.number(query, id=f"hand-over-{ids[0]}") == 1


async def test_a_key_that_was_used_for_something_else_is_refused(
    ordering: OrderingServices, customer: Customer
) -> None:
    ordering.fake_catalog.stock.append(replace(PLAN, sku="VPN-2"))
    key = uuid4().hex
    await place(ordering, customer, key=key)
    with pytest.raises(KeyReused):
        await place(ordering, customer, key=key, sku="VPN-2")


async def test_two_customers_may_use_the_same_key(
    ordering: OrderingServices, make_customer: Callable, customer: Customer
) -> None:
    key, other = uuid4().hex, await make_customer()
    mine, theirs = await place(ordering, customer, key=key), await place(ordering, other, key=key)
    assert mine != theirs
    with pytest.raises(NotFound):
        await ordering.orders.order_for(customer, theirs)
    assert [order.id for order in await ordering.orders.orders_for(customer)] == [mine]


async def test_an_order_keeps_the_catalogue_price_of_its_day(ordering: OrderingServices, customer: Customer) -> None:
    key = uuid4().hex
    order_id = await place(ordering, customer, key=key)
    ordering.fake_catalog.stock[0] = replace(PLAN, price=Money(1))
    await ordering.catalog.invalidate()
    assert (await ordering.orders.order_for(customer, order_id)).order.monthly == Money(980)
    assert await place(ordering, customer, key=key) == order_id


async def test_without_a_payment_method_nothing_is_ordered_and_the_key_stays_free(
    ordering: OrderingServices, customer: Customer
) -> None:
    cards, ordering.fake_whmcs.cards = ordering.fake_whmcs.cards, []
    key = uuid4().hex
    with pytest.raises(InvalidInput) as caught:
        await place(ordering, customer, key=key)
    assert set(caught.value.fields) == {"payment"}
    ordering.fake_whmcs.cards = cards
    await ordering.payments.invalidate_methods(customer)
    assert await place(ordering, customer, key=key)


async def test_while_billing_is_away_nothing_is_ordered(ordering: OrderingServices, customer: Customer) -> None:
    ordering.fake_whmcs.is_away = True
    with pytest.raises(ExternalUnavailable):
        await place(ordering, customer, key=uuid4().hex)
    assert await ordering.orders.orders_for(customer) == []


@pytest.mark.parametrize("sku", ["HIDDEN", "CLOSED", "ALONG", "", "VPN-1' OR '1'='1"])
async def test_an_unsold_item_cannot_be_ordered(ordering: OrderingServices, customer: Customer, sku: str) -> None:
    ordering.fake_catalog.stock += [
        replace(PLAN, sku="HIDDEN", choosable=False),
        replace(PLAN, sku="CLOSED", orderable=False),
        replace(PLAN, sku="ALONG", item_class="activation", auto_add=True, choosable=False),
    ]
    with pytest.raises(NotFound):
        await place(ordering, customer, key=uuid4().hex, sku=sku)


@pytest.mark.parametrize("billed", [{}, {1: {"monthly": Money(981)}}, {1: {"onetime": Money(980)}}])
async def test_an_item_whose_whmcs_price_differs_cannot_be_ordered(
    ordering: OrderingServices, customer: Customer, billed: dict[int, dict[str, Money]]
) -> None:
    ordering.fake_whmcs.prices = billed
    assert not (await ordering.catalog.plan(PLAN.sku)).is_orderable
    assert REGISTRY.get_sample_value("portal_catalog_price_differences") == 1
    with pytest.raises(Conflict):
        await place(ordering, customer, key=uuid4().hex)
    ordering.fake_whmcs.prices = {1: {"monthly": PLAN.price}}
    await ordering.catalog.invalidate()
    assert (await ordering.catalog.plan(PLAN.sku)).is_orderable
    assert REGISTRY.get_sample_value("portal_catalog_price_differences") == 0


async def test_while_billing_is_away_plans_are_shown_but_not_orderable(ordering: OrderingServices) -> None:
    ordering.fake_whmcs.is_away = True
    assert not (await ordering.catalog.plan(PLAN.sku)).is_orderable
    ordering.fake_whmcs.is_away = False
    assert (await ordering.catalog.plan(PLAN.sku)).is_orderable


async def test_a_plan_that_is_not_sold_online_is_refused_at_the_service(
    ordering: OrderingServices, customer: Customer
) -> None:
    ordering.fake_catalog.stock.append(replace(PLAN, sku="OTHER-1", category="other"))
    with pytest.raises(NotAllowed):
        await place(ordering, customer, key=uuid4().hex, sku="OTHER-1")


@pytest.mark.parametrize("key", ["", "short", "x" * 201, "with\nline", "キーキーキーキー"])
async def test_a_malformed_key_is_refused(ordering: OrderingServices, customer: Customer, key: str) -> None:
    with pytest.raises(InvalidInput):
        await place(ordering, customer, key=key)


async def test_while_billing_is_away_saved_invoices_are_shown_with_their_age(
    ordering: OrderingServices, customer: Customer
) -> None:
    invoice = bill(customer)
    ordering.fake_whmcs.bills[invoice.id] = invoice
    assert (await ordering.billing.invoices_for(customer)).as_of is None
    await ordering.billing.mark_stale(customer)
    ordering.fake_whmcs.is_away = True
    saved = await ordering.billing.invoices_for(customer)
    assert saved.listing.rows == (invoice,)
    assert saved.as_of is not None
    assert abs((datetime.now(UTC) - saved.as_of).total_seconds()) < 30
    assert (await ordering.billing.invoice_for(customer, invoice.id)).as_of is not None


async def test_another_customers_invoice_is_not_found_live_or_saved(
    ordering: OrderingServices, make_customer: Callable, customer: Customer
) -> None:
    other = await make_customer()
    invoice = bill(other)
    ordering.fake_whmcs.bills[invoice.id] = invoice
    await ordering.billing.invoices_for(other)
    with pytest.raises(NotFound):
        await ordering.billing.invoice_for(customer, invoice.id)
    with pytest.raises(NotFound):
        await ordering.billing.pay_link(customer, invoice.id)
    assert ordering.fake_whmcs.links == []
    await ordering.billing.invoices_for(customer)
    ordering.fake_whmcs.is_away = True
    for number in (invoice.id, 99_999_999_999):
        with pytest.raises(NotFound):
            await ordering.billing.invoice_for(customer, number)


async def test_a_sign_on_link_is_audited_and_never_stored(
    ordering: OrderingServices, customer: Customer, written: Written
) -> None:
    await ordering.payments.add_card_link(customer, back_to="http://localhost:3000/checkout")
    query = "SELECT count(*) FROM audit WHERE user_id = :u AND tag = 'billing:sign_on:opened'"
    assert await written.number(query, u=customer.user_id) == 1
    query = "SELECT count(*) FROM audit WHERE user_id = :u AND detail::text LIKE '%://%'"
    assert await written.number(query, u=customer.user_id) == 0
