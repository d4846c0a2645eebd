"""Address checks: asked for once, answered once, void at a new address, and the only door to a fibre order."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from portal_app.domain.checkout.request import OrderRequest
from portal_app.domain.errors import Conflict, ExternalUnavailable, InvalidInput
from portal_app.domain.internet.eligibility import AddressCheck
from portal_app.domain.money import Money
from portal_app.domain.orders.order import Order
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.profile import ProfileChange
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.models.eligibility import EligibilityRow
from portal_app.models.profile import ProfileRow
from portal_app.models.user import IdMapping
from tests.placing import place_order
from tests.unit.services.conftest import Written
from tests.unit.services.fibre import ANSWERS, CONFIRMED, CONNECTION, HOME, PHONE, catalogue
from tests.unit.services.test_orders_billing import Shop, customer, make_customer, shop

__all__ = ["customer", "make_customer", "shop"]
LINE = Subscription(1, 1, 1, 1, "Internet (Home 1G)", "Internet", "active", "Monthly", Money(1), Money(1), None, None)


@pytest.fixture(autouse=True)
async def at_home(shop: Shop, customer: Customer, worker: Database) -> None:
    """Let the customer be mapped and live somewhere, and fibre be sold."""
    shop.till.address = HOME
    shop.shelf.stock = catalogue()
    shop.till.prices = {each.whmcs_product_id or 0: {each.cycle: each.price} for each in shop.shelf.stock}
    shop.agents.account = replace(shop.agents.account, account_id=customer.sf_account_id)
    async with worker.unit_of_work() as session:
        names = ("user_id", "whmcs_client_id", "sf_account_id", "sf_contact_id", "customer_number")
        session.add(IdMapping(**{name: getattr(customer, name) for name in names}))


async def hand_over(shop: Shop, customer: Customer, worker: Database) -> UUID:
    """Do what the workflow does with the customer's newest request."""
    async with worker.unit_of_work() as session:
        row = await session.get(EligibilityRow, customer.user_id)
    assert row is not None and row.check_id is not None
    await shop.answers.hand_over(customer.user_id, row.check_id)
    return row.check_id


async def make_old(worker: Database, customer: Customer) -> None:
    """Let what is saved be too old to be trusted."""
    async with worker.unit_of_work() as session:
        row = await EligibilityRow.locked(session, customer.user_id)
        row.read_at = now() - timedelta(hours=1)


async def move(shop: Shop, customer: Customer, worker: Database) -> None:
    """Have a new address on its way, as a changed profile does; `arrive` ends it."""
    shop.till.address = replace(HOME, street="9-9")
    async with worker.unit_of_work() as session:
        profile = await ProfileRow.locked(session, customer.user_id)
        (await EligibilityRow.locked(session, customer.user_id)).reset()
        profile.wanted = ProfileChange(address=shop.till.address).to_json()


async def arrive(shop: Shop, customer: Customer, worker: Database) -> None:
    shop.agents.write(status="not_requested", offers=(), note="", requested_at=None, checked_at=None)
    async with worker.unit_of_work() as session:
        (await ProfileRow.locked(session, customer.user_id)).wanted = None


async def order(shop: Shop, customer: Customer, **changes: dict[str, str]) -> Order:
    wish = OrderRequest("INTERNET-GOLD", ANSWERS | changes, has_accepted_terms=True)
    return await place_order(shop, customer, wish, key=uuid4().hex, recipient="a@example.jp")


async def told(written: Written, customer: Customer) -> tuple[int, int]:
    """Return how many mails and notices tell of an answer."""
    about = "user_id = :u AND {} LIKE 'address_%available'"
    mails = await written.number(f"SELECT count(*) FROM mails WHERE {about.format('occasion')}", u=customer.user_id)
    query = f"SELECT count(*) FROM notices WHERE {about.format('kind')}"
    return mails, await written.number(query, u=customer.user_id)


async def test_ten_clicks_ask_once_and_the_answer_is_told_once(
    shop: Shop, customer: Customer, worker: Database, written: Written
) -> None:
    assert (await shop.checks.check_for(customer)).status == "not_requested"
    seen = await asyncio.gather(*(shop.checks.request(customer) for _ in range(10)))
    assert {each.status for each in seen} == {"pending"}
    query = "SELECT count(*) FROM audit WHERE user_id = :u AND tag = 'internet:check:asked'"
    assert await written.number(query, u=customer.user_id) == 1
    for _ in range(2):
        check_id = await hand_over(shop, customer, worker)
    query = "SELECT count(*) FROM dbos.workflow_status WHERE workflow_uuid = :id"
    assert await written.number(query, id=f"check-address-{check_id}") == 1
    assert [request.address for request in shop.agents.requests] == [HOME]
    assert await told(written, customer) == (0, 0)
    shop.agents.answer("Home 1G")
    for _ in range(3):
        await shop.answers.apply_account(customer.sf_account_id)
    found = await shop.checks.check_for(customer)
    assert (found.status, found.offers, found.note) == ("eligible", ("Home 1G",), "Found out.")
    assert await told(written, customer) == (1, 1)
    # Checked once, known for good: asking again changes nothing.
    assert (await shop.checks.request(customer)).status == "eligible"
    assert len(shop.agents.requests) == 1


async def test_an_answer_that_comes_before_our_own_write_is_not_moved_back(
    shop: Shop, customer: Customer, worker: Database, written: Written
) -> None:
    await shop.checks.request(customer)
    before = shop.agents.account
    shop.agents.write(status="pending")
    shop.agents.answer()
    await shop.answers.apply_account(customer.sf_account_id)
    await hand_over(shop, customer, worker)
    assert shop.agents.requests == []
    answered = shop.agents.account
    # A slow reader comes late with what was true before.
    shop.agents.account = replace(before, status="pending")
    await shop.answers.apply_account(customer.sf_account_id)
    shop.agents.account = replace(answered, status="pending", checked_at=None)
    await shop.answers.apply_account(customer.sf_account_id)
    assert (await shop.checks.check_for(customer)).status == "ineligible"
    assert await told(written, customer) == (1, 1)


async def test_a_changed_answer_is_told_again_and_an_old_one_never(
    shop: Shop, customer: Customer, written: Written
) -> None:
    shop.agents.answer("Home 1G")
    shop.agents.write(checked_at=datetime.now(UTC) - timedelta(days=400))
    await shop.answers.apply_account(customer.sf_account_id)
    assert (await shop.checks.check_for(customer)).status == "eligible"
    assert await told(written, customer) == (0, 0)
    shop.agents.answer("Home 1G", "Home 10G")
    await shop.answers.apply_account(customer.sf_account_id)
    shop.agents.answer()
    await shop.answers.apply_account(customer.sf_account_id)
    assert (await told(written, customer))[0] == 2


async def test_a_customer_who_looks_before_the_event_comes_is_told_all_the_same(
    shop: Shop, customer: Customer, worker: Database, written: Written
) -> None:
    await shop.checks.request(customer)
    await hand_over(shop, customer, worker)
    shop.agents.answer("Home 1G")
    await make_old(worker, customer)
    assert (await shop.checks.check_for(customer)).status == "eligible"
    await shop.answers.apply_account(customer.sf_account_id)
    assert await told(written, customer) == (1, 1)


async def test_a_new_address_voids_the_answer_and_the_next_request_waits_for_it(
    shop: Shop, customer: Customer, worker: Database
) -> None:
    shop.agents.answer("Home 1G")
    await shop.answers.apply_account(customer.sf_account_id)
    await move(shop, customer, worker)
    # Salesforce still has the old answer: it counts for nothing while the address is on its way.
    await shop.answers.apply_account(customer.sf_account_id)
    assert (await shop.checks.check_for(customer)).status == "not_requested"
    assert (await shop.checks.request(customer)).status == "pending"
    with pytest.raises(ExternalUnavailable):
        await hand_over(shop, customer, worker)
    await arrive(shop, customer, worker)
    await shop.answers.apply_account(customer.sf_account_id)
    assert (await shop.checks.check_for(customer)).status == "pending"
    await hand_over(shop, customer, worker)
    assert [request.address.street for request in shop.agents.requests] == ["9-9"]


async def test_a_request_of_an_address_that_was_left_is_not_handed_over(
    shop: Shop, customer: Customer, worker: Database
) -> None:
    await shop.checks.request(customer)
    async with worker.unit_of_work() as session:
        row = await EligibilityRow.locked(session, customer.user_id)
        left = row.check_id
    await move(shop, customer, worker)
    await arrive(shop, customer, worker)
    await shop.checks.request(customer)
    await shop.answers.hand_over(customer.user_id, left)  # type: ignore[arg-type]
    assert shop.agents.requests == []
    await hand_over(shop, customer, worker)
    assert len(shop.agents.requests) == 1


async def test_while_salesforce_is_away_the_saved_state_shows_with_its_age_and_requests_wait(
    shop: Shop, customer: Customer, worker: Database
) -> None:
    shop.agents.is_away = True
    unknown = await shop.checks.check_for(customer)
    assert (unknown.status, unknown.as_of) == (None, None)
    shop.agents.is_away = False
    shop.agents.answer("Home 1G")
    await shop.answers.apply_account(customer.sf_account_id)
    await make_old(worker, customer)
    shop.agents.is_away = True
    saved = await shop.checks.check_for(customer)
    assert saved.status == "eligible" and saved.as_of is not None


async def test_a_request_made_while_nothing_is_known_finds_the_answer_that_was_there(
    shop: Shop, customer: Customer, worker: Database
) -> None:
    shop.agents.answer("Home 1G")
    shop.agents.is_away = True
    assert (await shop.checks.request(customer)).status == "pending"
    with pytest.raises(ExternalUnavailable):
        await hand_over(shop, customer, worker)
    shop.agents.is_away = False
    await hand_over(shop, customer, worker)
    assert shop.agents.requests == [] and (await shop.checks.check_for(customer)).status == "eligible"


async def test_without_an_address_in_japanese_nothing_is_asked(shop: Shop, customer: Customer) -> None:
    shop.till.address = None
    with pytest.raises(InvalidInput):
        await shop.checks.request(customer)


async def test_only_what_an_agent_found_can_be_ordered(shop: Shop, customer: Customer) -> None:
    for offers in ((), ("Apartment 1G", "Home 10G")):
        shop.agents.answer(*offers)
        await shop.answers.apply_account(customer.sf_account_id)
        with pytest.raises(InvalidInput) as caught:
            await order(shop, customer)
        assert set(caught.value.fields) == {"address"}
    shop.agents.answer("Home 1G")
    await shop.answers.apply_account(customer.sf_account_id)
    for step, answer, wrong in (
        ("connection", CONNECTION | {"access_mode": "pppoe"}, "home_phone"),
        ("address", CONFIRMED | {"confirmed": ""}, "confirmed"),
        ("address", {}, "confirmed"),
        ("sim", {"sim_type": "esim"}, "answers"),
        ("phone", PHONE | {"sku": "INTERNET-LEFTOVER"}, "answers"),
    ):
        with pytest.raises(InvalidInput) as caught:
            await order(shop, customer, **{step: answer})
        assert set(caught.value.fields) == {wrong}
    placed = await order(shop, customer)
    assert placed.address == HOME and placed.monthly == Money(8150) and placed.one_time == Money(4000)


async def test_an_extra_that_cannot_be_had_at_the_address_is_not_ordered_with_it(
    shop: Shop, customer: Customer
) -> None:
    shop.shelf.stock = [
        replace(each, conditions=("Apartment 1G",)) if each.sku == "INTERNET-ADDON-HIKARI-DENWA" else each
        for each in catalogue()
    ]
    await shop.catalog.invalidate()
    shop.agents.answer("Home 1G")
    await shop.answers.apply_account(customer.sf_account_id)
    with pytest.raises(InvalidInput) as caught:
        await order(shop, customer)
    assert set(caught.value.fields) == {"home_phone"}
    assert (await order(shop, customer, phone=PHONE | {"home_phone": ""})).monthly == Money(7700)


async def test_a_confirmation_given_for_an_address_that_was_left_does_not_count(
    shop: Shop, customer: Customer, worker: Database
) -> None:
    draft = await shop.drafts.begin(customer, "INTERNET-GOLD")
    assert draft.open_step == "address"
    with pytest.raises(InvalidInput):
        await shop.drafts.save_answer(customer, draft.id, "address", CONFIRMED)
    shop.agents.answer("Home 1G")
    await shop.answers.apply_account(customer.sf_account_id)
    assert (await shop.drafts.save_answer(customer, draft.id, "address", CONFIRMED)).open_step == "connection"
    await move(shop, customer, worker)
    await arrive(shop, customer, worker)
    shop.agents.answer("Home 1G")
    await shop.answers.apply_account(customer.sf_account_id)
    assert (await shop.drafts.current(customer)).open_step == "address"


async def test_a_second_line_or_a_second_order_is_refused_whatever_the_key(shop: Shop, customer: Customer) -> None:
    shop.agents.answer("Home 1G")
    await shop.answers.apply_account(customer.sf_account_id)
    shop.till.services = [LINE]
    with pytest.raises(Conflict):
        await order(shop, customer)
    shop.till.services = [replace(LINE, status="terminated"), replace(LINE, name="Installation, 12 payments")]
    tries = await asyncio.gather(*(order(shop, customer) for _ in range(5)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in tries) == ["Conflict"] * 4 + ["Order"]
    with pytest.raises(Conflict):
        await shop.drafts.begin(customer, "INTERNET-GOLD")


async def test_a_lost_event_is_found(shop: Shop, customer: Customer, worker: Database, make_customer: Callable) -> None:
    await shop.checks.request(customer)
    assert await shop.answers.accounts_with_missed_answers() == []
    await hand_over(shop, customer, worker)
    shop.agents.answer("Home 1G")
    assert customer.sf_account_id in await shop.answers.accounts_with_missed_answers()


async def test_what_was_asked_is_nobody_elses_and_unreadable_in_the_database(
    shop: Shop, customer: Customer, make_customer: Callable, written: Written
) -> None:
    await shop.checks.request(customer)
    shop.agents.account = AddressCheck("001", "not_requested", datetime.now(UTC))
    assert (await shop.checks.check_for(await make_customer())).status == "not_requested"
    query = "SELECT position('Azabu' in encode(address, 'escape')) FROM internet_eligibility WHERE user_id = :u"
    assert await written.number(query, u=customer.user_id) == 0
    query = "SELECT length(address) FROM internet_eligibility WHERE user_id = :u"
    assert await written.number(query, u=customer.user_id) > 100
