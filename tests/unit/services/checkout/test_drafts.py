"""Order drafts: stored on the server, dropped with their plan, ordered once."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from portal_app.domain.checkout.request import Agreement
from portal_app.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound, OfferChanged
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.billing_cycle import BillingCycle
from portal_app.domain.subscriptions.subscription import Subscription
from tests.support.clients.placing import place_draft
from tests.support.values.sim_answers import EID, HOLDER
from tests.support.vendors.fake_vendors import PLAN
from tests.support.vendors.ordering import OrderingServices, customer, make_customer, ordering

__all__ = ["customer", "make_customer", "ordering"]
DATA = replace(PLAN, sku="SIM-D", category="sim")
VOICE = replace(PLAN, sku="SIM-V", category="sim", has_voice=True)
FAMILY = replace(VOICE, sku="SIM-F", is_family=True)
MAIL = replace(
    PLAN, sku="SIM-ADDON-VOICE-MAIL", category="sim", item_class="add-on", price=Money(300), whmcs_product_id=2
)
SIM = {"sim_type": "esim", "eid": EID, "start": "now"}
NUMBER = HOLDER | {"origin": "new", "voice_mail": "on"}
LINE = Subscription(1, 1, 1, 1, "SIM 5GB", "SIM", "active", BillingCycle.MONTHLY, Money(1), Money(1), None, None)


@pytest.fixture(autouse=True)
def stock(ordering: OrderingServices) -> None:
    ordering.fake_catalog.stock = [PLAN, DATA, VOICE, FAMILY, MAIL]
    ordering.fake_whmcs.prices[2] = {"monthly": Money(300)}


async def test_a_draft_is_the_same_on_every_device_until_another_plan_is_chosen(
    ordering: OrderingServices, customer: Customer
) -> None:
    first = await ordering.drafts.begin(customer, "SIM-V")
    await ordering.drafts.save_answer(customer, first.id, "sim", SIM)
    again = await ordering.drafts.begin(customer, "SIM-V")
    assert (again.id, again.answers["sim"], again.open_step) == (first.id, SIM, "number")
    other = await ordering.drafts.begin(customer, "SIM-D")
    assert other.id != first.id and other.answers == {} and other.open_step == "sim"
    with pytest.raises(Conflict):
        await ordering.drafts.save_answer(customer, first.id, "sim", SIM)


async def test_a_wrong_answer_is_not_kept_and_a_step_of_another_plan_is_refused(
    ordering: OrderingServices, customer: Customer
) -> None:
    draft = await ordering.drafts.begin(customer, "SIM-D")
    with pytest.raises(InvalidInput):
        await ordering.drafts.save_answer(customer, draft.id, "sim", SIM | {"eid": "1"})
    with pytest.raises(Conflict):
        await ordering.drafts.save_answer(customer, draft.id, "number", NUMBER)
    assert (await ordering.drafts.current(customer)).answers == {}


async def test_a_draft_belongs_to_its_customer(ordering: OrderingServices, customer: Customer, make_customer) -> None:  # type: ignore[no-untyped-def]
    draft, other = await ordering.drafts.begin(customer, "SIM-D"), await make_customer()
    with pytest.raises(NotFound):
        await ordering.drafts.current(other)
    with pytest.raises(Conflict):
        await place_draft(ordering, other, draft.id, agreed=Agreement(True), key=uuid4().hex, recipient="o@x.jp")


async def test_a_draft_with_open_steps_or_without_the_terms_is_not_ordered(
    ordering: OrderingServices, customer: Customer
) -> None:
    draft = await ordering.drafts.begin(customer, "SIM-V")
    await ordering.drafts.save_answer(customer, draft.id, "sim", SIM)
    with pytest.raises(InvalidInput):
        await place_draft(ordering, customer, draft.id, agreed=Agreement(True), key=uuid4().hex, recipient="a@x.jp")
    await ordering.drafts.save_answer(customer, draft.id, "number", NUMBER)
    with pytest.raises(InvalidInput) as caught:
        await place_draft(ordering, customer, draft.id, agreed=Agreement(False), key=uuid4().hex, recipient="a@x.jp")
    assert set(caught.value.fields) == {"terms_accepted"}
    assert await ordering.orders.orders_for(customer) == []


async def test_twenty_keys_for_one_draft_make_one_order_with_its_options(
    ordering: OrderingServices, customer: Customer
) -> None:
    draft = await ordering.drafts.begin(customer, "SIM-V")
    await ordering.drafts.save_answer(customer, draft.id, "sim", SIM)
    await ordering.drafts.save_answer(customer, draft.id, "number", NUMBER)

    async def press() -> str:
        key = uuid4().hex
        order = await place_draft(
            ordering, customer, draft.id, agreed=Agreement(True), key=key, recipient="a@example.jp"
        )
        return str(order.id)

    assert len({*await asyncio.gather(*(press() for _ in range(20)))}) == 1
    (order,) = await ordering.orders.orders_for(customer)
    assert [line.sku for line in order.lines] == ["SIM-V", "SIM-ADDON-VOICE-MAIL"]
    assert order.options is not None and order.options.eid == EID  # type: ignore[union-attr]
    with pytest.raises(NotFound):
        await ordering.drafts.current(customer)
    assert str(order.id) == await press()


async def test_a_draft_is_not_ordered_for_another_price_than_the_page_showed(
    ordering: OrderingServices, customer: Customer
) -> None:
    draft = await ordering.drafts.begin(customer, PLAN.sku)
    seen = (PLAN.price, Money(0))
    ordering.fake_catalog.stock[0] = replace(PLAN, price=PLAN.price + Money(1))
    ordering.fake_whmcs.prices[1] = {"monthly": PLAN.price + Money(1)}
    await ordering.catalog.invalidate()

    async def press(*totals: Money) -> Money:
        agreed = Agreement(True, totals)  # type: ignore[arg-type]
        placed = await place_draft(
            ordering, customer, draft.id, agreed=agreed, key=f"draft-{draft.id}", recipient="a@x.jp"
        )
        return placed.monthly

    with pytest.raises(OfferChanged):
        await press(*seen)
    assert await ordering.orders.orders_for(customer) == []
    assert await press(PLAN.price + Money(1), Money(0)) == PLAN.price + Money(1)


async def test_a_draft_of_a_withdrawn_plan_stays_but_cannot_be_ordered(
    ordering: OrderingServices, customer: Customer
) -> None:
    draft = await ordering.drafts.begin(customer, PLAN.sku)
    for gone in (replace(PLAN, choosable=False), replace(PLAN, orderable=False)):
        ordering.fake_catalog.stock[0] = gone
        await ordering.catalog.invalidate()
        with pytest.raises(NotFound):
            await ordering.drafts.current(customer)
        with pytest.raises(NotFound):
            await place_draft(
                ordering, customer, draft.id, agreed=Agreement(True), key=f"draft-{draft.id}", recipient="a@x.jp"
            )
    ordering.fake_catalog.stock[0] = PLAN
    await ordering.catalog.invalidate()
    assert (await ordering.drafts.current(customer)).id == draft.id


async def test_the_personal_answers_are_unreadable_in_the_database(
    ordering: OrderingServices, customer: Customer, written
) -> None:  # type: ignore[no-untyped-def]
    draft = await ordering.drafts.begin(customer, "SIM-V")
    await ordering.drafts.save_answer(customer, draft.id, "number", NUMBER)
    query = "SELECT count(*) FROM order_drafts WHERE user_id = :u AND position('1990' in encode(answers, 'escape')) > 0"
    assert await written.number(query, u=customer.user_id) == 0
    query = "SELECT count(*) FROM order_drafts WHERE user_id = :u AND length(answers) > 100"
    assert await written.number(query, u=customer.user_id) == 1


async def test_a_family_plan_is_for_those_who_have_a_line(ordering: OrderingServices, customer: Customer) -> None:
    with pytest.raises(NotAllowed):
        await ordering.drafts.begin(customer, "SIM-F")
    ordering.fake_whmcs.services = [replace(LINE, status="suspended")]
    with pytest.raises(NotAllowed):
        await ordering.drafts.begin(customer, "SIM-F")
    ordering.fake_whmcs.services = [LINE]
    assert (await ordering.drafts.begin(customer, "SIM-F")).plan.service.sku == "SIM-F"
