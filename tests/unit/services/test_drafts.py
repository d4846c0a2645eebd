"""Drafts of orders: kept on the server, forgotten with their plan, ordered once whatever is pressed."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from portal_app.domain.checkout.request import Agreement
from portal_app.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound, OfferChanged
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.subscription import Subscription
from tests.placing import place_draft
from tests.unit.domain.test_checkout_steps import EID, HOLDER
from tests.unit.services.test_orders_billing import Shop, customer, make_customer, shop
from tests.unit.services.vendors import PLAN

__all__ = ["customer", "make_customer", "shop"]
DATA = replace(PLAN, sku="SIM-D", category="sim")
VOICE = replace(PLAN, sku="SIM-V", category="sim", has_voice=True)
FAMILY = replace(VOICE, sku="SIM-F", is_family=True)
MAIL = replace(
    PLAN, sku="SIM-ADDON-VOICE-MAIL", category="sim", item_class="add-on", price=Money(300), whmcs_product_id=2
)
SIM = {"sim_type": "esim", "eid": EID, "start": "now"}
NUMBER = HOLDER | {"origin": "new", "voice_mail": "on"}
LINE = Subscription(1, 1, 1, 1, "SIM 5GB", "SIM", "active", "Monthly", Money(1), Money(1), None, None)


@pytest.fixture(autouse=True)
def stock(shop: Shop) -> None:
    shop.shelf.stock = [PLAN, DATA, VOICE, FAMILY, MAIL]
    shop.till.prices[2] = {"monthly": Money(300)}


async def test_a_draft_is_the_same_on_every_device_until_another_plan_is_chosen(shop: Shop, customer: Customer) -> None:
    first = await shop.drafts.begin(customer, "SIM-V")
    await shop.drafts.save_answer(customer, first.id, "sim", SIM)
    again = await shop.drafts.begin(customer, "SIM-V")
    assert (again.id, again.answers["sim"], again.open_step) == (first.id, SIM, "number")
    other = await shop.drafts.begin(customer, "SIM-D")
    assert other.id != first.id and other.answers == {} and other.open_step == "sim"
    with pytest.raises(Conflict):
        await shop.drafts.save_answer(customer, first.id, "sim", SIM)


async def test_a_wrong_answer_is_not_kept_and_a_step_of_another_plan_is_refused(shop: Shop, customer: Customer) -> None:
    draft = await shop.drafts.begin(customer, "SIM-D")
    with pytest.raises(InvalidInput):
        await shop.drafts.save_answer(customer, draft.id, "sim", SIM | {"eid": "1"})
    with pytest.raises(Conflict):
        await shop.drafts.save_answer(customer, draft.id, "number", NUMBER)
    assert (await shop.drafts.current(customer)).answers == {}


async def test_a_draft_is_nobody_elses(shop: Shop, customer: Customer, make_customer) -> None:  # type: ignore[no-untyped-def]
    draft, other = await shop.drafts.begin(customer, "SIM-D"), await make_customer()
    with pytest.raises(NotFound):
        await shop.drafts.current(other)
    with pytest.raises(Conflict):
        await place_draft(shop, other, draft.id, agreed=Agreement(True), key=uuid4().hex, recipient="o@x.jp")


async def test_a_draft_with_open_steps_or_without_the_terms_is_not_ordered(shop: Shop, customer: Customer) -> None:
    draft = await shop.drafts.begin(customer, "SIM-V")
    await shop.drafts.save_answer(customer, draft.id, "sim", SIM)
    with pytest.raises(InvalidInput):
        await place_draft(shop, customer, draft.id, agreed=Agreement(True), key=uuid4().hex, recipient="a@x.jp")
    await shop.drafts.save_answer(customer, draft.id, "number", NUMBER)
    with pytest.raises(InvalidInput) as caught:
        await place_draft(shop, customer, draft.id, agreed=Agreement(False), key=uuid4().hex, recipient="a@x.jp")
    assert set(caught.value.fields) == {"terms_accepted"}
    assert await shop.orders.orders_for(customer) == []


async def test_twenty_keys_for_one_draft_make_one_order_with_its_options(shop: Shop, customer: Customer) -> None:
    draft = await shop.drafts.begin(customer, "SIM-V")
    await shop.drafts.save_answer(customer, draft.id, "sim", SIM)
    await shop.drafts.save_answer(customer, draft.id, "number", NUMBER)

    async def press() -> str:
        key = uuid4().hex
        order = await place_draft(shop, customer, draft.id, agreed=Agreement(True), key=key, recipient="a@example.jp")
        return str(order.id)

    assert len({*await asyncio.gather(*(press() for _ in range(20)))}) == 1
    (order,) = await shop.orders.orders_for(customer)
    assert [line.sku for line in order.lines] == ["SIM-V", "SIM-ADDON-VOICE-MAIL"]
    assert order.options is not None and order.options.eid == EID  # type: ignore[union-attr]
    with pytest.raises(NotFound):
        await shop.drafts.current(customer)
    assert str(order.id) == await press()


async def test_a_draft_is_not_ordered_for_another_price_than_the_page_showed(shop: Shop, customer: Customer) -> None:
    draft = await shop.drafts.begin(customer, PLAN.sku)
    seen = (PLAN.price, Money(0))
    shop.shelf.stock[0] = replace(PLAN, price=PLAN.price + Money(1))
    shop.till.prices[1] = {"monthly": PLAN.price + Money(1)}
    await shop.catalog.invalidate()

    async def press(*totals: Money) -> Money:
        agreed = Agreement(True, totals)  # type: ignore[arg-type]
        placed = await place_draft(shop, customer, draft.id, agreed=agreed, key=f"draft-{draft.id}", recipient="a@x.jp")
        return placed.monthly

    with pytest.raises(OfferChanged):
        await press(*seen)
    assert await shop.orders.orders_for(customer) == []
    assert await press(PLAN.price + Money(1), Money(0)) == PLAN.price + Money(1)


async def test_a_draft_of_a_plan_that_is_sold_no_more_is_kept_but_not_ordered(shop: Shop, customer: Customer) -> None:
    draft = await shop.drafts.begin(customer, PLAN.sku)
    for gone in (replace(PLAN, choosable=False), replace(PLAN, orderable=False)):
        shop.shelf.stock[0] = gone
        await shop.catalog.invalidate()
        with pytest.raises(NotFound):
            await shop.drafts.current(customer)
        with pytest.raises(NotFound):
            await place_draft(
                shop, customer, draft.id, agreed=Agreement(True), key=f"draft-{draft.id}", recipient="a@x.jp"
            )
    shop.shelf.stock[0] = PLAN
    await shop.catalog.invalidate()
    assert (await shop.drafts.current(customer)).id == draft.id


async def test_the_personal_answers_are_unreadable_in_the_database(shop: Shop, customer: Customer, written) -> None:  # type: ignore[no-untyped-def]
    draft = await shop.drafts.begin(customer, "SIM-V")
    await shop.drafts.save_answer(customer, draft.id, "number", NUMBER)
    query = "SELECT count(*) FROM order_drafts WHERE user_id = :u AND position('1990' in encode(answers, 'escape')) > 0"
    assert await written.number(query, u=customer.user_id) == 0
    query = "SELECT count(*) FROM order_drafts WHERE user_id = :u AND length(answers) > 100"
    assert await written.number(query, u=customer.user_id) == 1


async def test_a_family_plan_is_for_those_who_have_a_line(shop: Shop, customer: Customer) -> None:
    with pytest.raises(NotAllowed):
        await shop.drafts.begin(customer, "SIM-F")
    shop.till.services = [replace(LINE, status="suspended")]
    with pytest.raises(NotAllowed):
        await shop.drafts.begin(customer, "SIM-F")
    shop.till.services = [LINE]
    assert (await shop.drafts.begin(customer, "SIM-F")).plan.service.sku == "SIM-F"
