"""Address checks: requested once, answered once, void at a new address, and required for a fibre order."""

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
from portal_app.domain.subscriptions.billing_cycle import BillingCycle
from portal_app.domain.subscriptions.service_kind import ProductClass
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.models.eligibility import EligibilityRow
from portal_app.models.profile import ProfileRow
from portal_app.models.user import IdMapping
from tests.support.clients.placing import place_order
from tests.support.values.written import Written
from tests.support.vendors.fibre_catalog import ANSWERS, CONFIRMED, CONNECTION, HOME, PHONE, catalogue
from tests.support.vendors.ordering import OrderingServices, customer, make_customer, ordering

__all__ = ["customer", "make_customer", "ordering"]
LINE = Subscription(
    1, 1, 1, 1, "Internet (Home 1G)", "Internet", "active", BillingCycle.MONTHLY, Money(1), Money(1), None, None
)


@pytest.fixture(autouse=True)
async def at_home(ordering: OrderingServices, customer: Customer, worker: Database) -> None:
    """Map the customer, give them an address and put fibre on sale."""
    ordering.fake_whmcs.address = HOME
    ordering.fake_catalog.stock = catalogue()
    ordering.fake_whmcs.prices = {
        each.whmcs_product_id or 0: {each.cycle: each.price} for each in ordering.fake_catalog.stock
    }
    ordering.agents.account = replace(ordering.agents.account, account_id=customer.sf_account_id)
    async with worker.unit_of_work() as session:
        names = ("user_id", "whmcs_client_id", "sf_account_id", "sf_contact_id", "customer_number")
        session.add(IdMapping(**{name: getattr(customer, name) for name in names}))


async def hand_over(ordering: OrderingServices, customer: Customer, worker: Database) -> UUID:
    """Do what the workflow does with the customer's newest request."""
    async with worker.unit_of_work() as session:
        row = await session.get(EligibilityRow, customer.user_id)
    assert row is not None and row.check_id is not None
    await ordering.answers.hand_over(customer.user_id, row.check_id)
    return row.check_id


async def make_old(worker: Database, customer: Customer) -> None:
    """Make the saved state stale."""
    async with worker.unit_of_work() as session:
        row = await EligibilityRow.locked(session, customer.user_id)
        row.read_at = now() - timedelta(hours=1)


async def move(ordering: OrderingServices, customer: Customer, worker: Database) -> None:
    """Start a change of address, as a changed profile does; `arrive` completes it."""
    ordering.fake_whmcs.address = replace(HOME, street="9-9")
    async with worker.unit_of_work() as session:
        profile = await ProfileRow.locked(session, customer.user_id)
        (await EligibilityRow.locked(session, customer.user_id)).reset()
        profile.wanted = ProfileChange(address=ordering.fake_whmcs.address).to_json()


async def arrive(ordering: OrderingServices, customer: Customer, worker: Database) -> None:
    ordering.agents.write(status="not_requested", offers=(), note="", requested_at=None, checked_at=None)
    async with worker.unit_of_work() as session:
        (await ProfileRow.locked(session, customer.user_id)).wanted = None


async def order(ordering: OrderingServices, customer: Customer, **changes: dict[str, str]) -> Order:
    wish = OrderRequest("INTERNET-GOLD", ANSWERS | changes, has_accepted_terms=True)
    return await place_order(ordering, customer, wish, key=uuid4().hex, recipient="a@example.jp")


async def announcements(written: Written, customer: Customer) -> tuple[int, int]:
    """Return how many mails and notices announce an answer."""
    about = "user_id = :u AND {} LIKE 'address_%available'"
    mails = await written.number(f"SELECT count(*) FROM mails WHERE {about.format('occasion')}", u=customer.user_id)
    query = f"SELECT count(*) FROM notices WHERE {about.format('kind')}"
    return mails, await written.number(query, u=customer.user_id)


async def test_ten_clicks_request_one_check_and_its_result_is_announced_once(
    ordering: OrderingServices, customer: Customer, worker: Database, written: Written
) -> None:
    assert (await ordering.checks.check_for(customer)).status == "not_requested"
    seen = await asyncio.gather(*(ordering.checks.request(customer) for _ in range(10)))
    assert {each.status for each in seen} == {"pending"}
    query = "SELECT count(*) FROM audit WHERE user_id = :u AND tag = 'internet:check:asked'"
    assert await written.number(query, u=customer.user_id) == 1
    for _ in range(2):
        check_id = await hand_over(ordering, customer, worker)
    query = "SELECT count(*) FROM dbos.workflow_status WHERE workflow_uuid = :id"
    assert await written.number(query, id=f"check-address-{check_id}") == 1
    assert [request.address for request in ordering.agents.requests] == [HOME]
    assert await announcements(written, customer) == (0, 0)
    ordering.agents.answer("Home 1G")
    for _ in range(3):
        await ordering.answers.apply_account(customer.sf_account_id)
    found = await ordering.checks.check_for(customer)
    assert (found.status, found.offers, found.note) == ("eligible", ("Home 1G",), "Found out.")
    assert await announcements(written, customer) == (1, 1)
    # A check is final: another request changes nothing.
    assert (await ordering.checks.request(customer)).status == "eligible"
    assert len(ordering.agents.requests) == 1


async def test_an_answer_that_arrives_before_our_own_write_is_not_reverted(
    ordering: OrderingServices, customer: Customer, worker: Database, written: Written
) -> None:
    await ordering.checks.request(customer)
    before = ordering.agents.account
    ordering.agents.write(status="pending")
    ordering.agents.answer()
    await ordering.answers.apply_account(customer.sf_account_id)
    await hand_over(ordering, customer, worker)
    assert ordering.agents.requests == []
    answered = ordering.agents.account
    # A slow read arrives late with the former state.
    ordering.agents.account = replace(before, status="pending")
    await ordering.answers.apply_account(customer.sf_account_id)
    ordering.agents.account = replace(answered, status="pending", checked_at=None)
    await ordering.answers.apply_account(customer.sf_account_id)
    assert (await ordering.checks.check_for(customer)).status == "ineligible"
    assert await announcements(written, customer) == (1, 1)


async def test_a_changed_answer_is_announced_and_an_old_one_is_not(
    ordering: OrderingServices, customer: Customer, written: Written
) -> None:
    ordering.agents.answer("Home 1G")
    ordering.agents.write(checked_at=datetime.now(UTC) - timedelta(days=400))
    await ordering.answers.apply_account(customer.sf_account_id)
    assert (await ordering.checks.check_for(customer)).status == "eligible"
    assert await announcements(written, customer) == (0, 0)
    ordering.agents.answer("Home 1G", "Home 10G")
    await ordering.answers.apply_account(customer.sf_account_id)
    ordering.agents.answer()
    await ordering.answers.apply_account(customer.sf_account_id)
    assert (await announcements(written, customer))[0] == 2


async def test_an_answer_seen_before_its_event_is_still_announced(
    ordering: OrderingServices, customer: Customer, worker: Database, written: Written
) -> None:
    await ordering.checks.request(customer)
    await hand_over(ordering, customer, worker)
    ordering.agents.answer("Home 1G")
    await make_old(worker, customer)
    assert (await ordering.checks.check_for(customer)).status == "eligible"
    await ordering.answers.apply_account(customer.sf_account_id)
    assert await announcements(written, customer) == (1, 1)


async def test_a_new_address_voids_the_answer_and_the_next_request_waits_for_it(
    ordering: OrderingServices, customer: Customer, worker: Database
) -> None:
    ordering.agents.answer("Home 1G")
    await ordering.answers.apply_account(customer.sf_account_id)
    await move(ordering, customer, worker)
    # Salesforce still has the old answer: it does not count while the address is being changed.
    await ordering.answers.apply_account(customer.sf_account_id)
    assert (await ordering.checks.check_for(customer)).status == "not_requested"
    assert (await ordering.checks.request(customer)).status == "pending"
    with pytest.raises(ExternalUnavailable):
        await hand_over(ordering, customer, worker)
    await arrive(ordering, customer, worker)
    await ordering.answers.apply_account(customer.sf_account_id)
    assert (await ordering.checks.check_for(customer)).status == "pending"
    await hand_over(ordering, customer, worker)
    assert [request.address.street for request in ordering.agents.requests] == ["9-9"]


async def test_a_request_for_a_former_address_is_not_sent_to_salesforce(
    ordering: OrderingServices, customer: Customer, worker: Database
) -> None:
    await ordering.checks.request(customer)
    async with worker.unit_of_work() as session:
        row = await EligibilityRow.locked(session, customer.user_id)
        left = row.check_id
    await move(ordering, customer, worker)
    await arrive(ordering, customer, worker)
    await ordering.checks.request(customer)
    await ordering.answers.hand_over(customer.user_id, left)  # type: ignore[arg-type]
    assert ordering.agents.requests == []
    await hand_over(ordering, customer, worker)
    assert len(ordering.agents.requests) == 1


async def test_while_salesforce_is_away_the_saved_state_shows_with_its_age_and_requests_wait(
    ordering: OrderingServices, customer: Customer, worker: Database
) -> None:
    ordering.agents.is_away = True
    unknown = await ordering.checks.check_for(customer)
    assert (unknown.status, unknown.as_of) == (None, None)
    ordering.agents.is_away = False
    ordering.agents.answer("Home 1G")
    await ordering.answers.apply_account(customer.sf_account_id)
    await make_old(worker, customer)
    ordering.agents.is_away = True
    saved = await ordering.checks.check_for(customer)
    assert saved.status == "eligible" and saved.as_of is not None


async def test_a_request_made_while_nothing_is_known_finds_the_answer_that_was_there(
    ordering: OrderingServices, customer: Customer, worker: Database
) -> None:
    ordering.agents.answer("Home 1G")
    ordering.agents.is_away = True
    assert (await ordering.checks.request(customer)).status == "pending"
    with pytest.raises(ExternalUnavailable):
        await hand_over(ordering, customer, worker)
    ordering.agents.is_away = False
    await hand_over(ordering, customer, worker)
    assert ordering.agents.requests == [] and (await ordering.checks.check_for(customer)).status == "eligible"


async def test_without_an_address_in_japanese_nothing_is_asked(ordering: OrderingServices, customer: Customer) -> None:
    ordering.fake_whmcs.address = None
    with pytest.raises(InvalidInput):
        await ordering.checks.request(customer)


async def test_only_what_an_agent_found_can_be_ordered(ordering: OrderingServices, customer: Customer) -> None:
    for offers in ((), ("Apartment 1G", "Home 10G")):
        ordering.agents.answer(*offers)
        await ordering.answers.apply_account(customer.sf_account_id)
        with pytest.raises(InvalidInput) as caught:
            await order(ordering, customer)
        assert set(caught.value.fields) == {"address"}
    ordering.agents.answer("Home 1G")
    await ordering.answers.apply_account(customer.sf_account_id)
    for step, answer, wrong in (
        ("connection", CONNECTION | {"access_mode": "pppoe"}, "home_phone"),
        ("address", CONFIRMED | {"confirmed": ""}, "confirmed"),
        ("address", {}, "confirmed"),
        ("sim", {"sim_type": "esim"}, "answers"),
        ("phone", PHONE | {"sku": "INTERNET-LEFTOVER"}, "answers"),
    ):
        with pytest.raises(InvalidInput) as caught:
            await order(ordering, customer, **{step: answer})
        assert set(caught.value.fields) == {wrong}
    placed = await order(ordering, customer)
    assert placed.address == HOME and placed.monthly == Money(8150) and placed.one_time == Money(4000)


async def test_an_extra_that_cannot_be_had_at_the_address_is_not_ordered_with_it(
    ordering: OrderingServices, customer: Customer
) -> None:
    ordering.fake_catalog.stock = [
        replace(each, conditions=("Apartment 1G",)) if each.sku == "INTERNET-ADDON-HIKARI-DENWA" else each
        for each in catalogue()
    ]
    await ordering.catalog.invalidate()
    ordering.agents.answer("Home 1G")
    await ordering.answers.apply_account(customer.sf_account_id)
    with pytest.raises(InvalidInput) as caught:
        await order(ordering, customer)
    assert set(caught.value.fields) == {"home_phone"}
    assert (await order(ordering, customer, phone=PHONE | {"home_phone": ""})).monthly == Money(7700)


async def test_a_confirmation_given_for_an_address_that_was_left_does_not_count(
    ordering: OrderingServices, customer: Customer, worker: Database
) -> None:
    draft = await ordering.drafts.begin(customer, "INTERNET-GOLD")
    assert draft.open_step == "address"
    with pytest.raises(InvalidInput):
        await ordering.drafts.save_answer(customer, draft.id, "address", CONFIRMED)
    ordering.agents.answer("Home 1G")
    await ordering.answers.apply_account(customer.sf_account_id)
    assert (await ordering.drafts.save_answer(customer, draft.id, "address", CONFIRMED)).open_step == "connection"
    await move(ordering, customer, worker)
    await arrive(ordering, customer, worker)
    ordering.agents.answer("Home 1G")
    await ordering.answers.apply_account(customer.sf_account_id)
    assert (await ordering.drafts.current(customer)).open_step == "address"


async def test_a_second_line_or_a_second_order_is_refused_whatever_the_key(
    ordering: OrderingServices, customer: Customer
) -> None:
    ordering.agents.answer("Home 1G")
    await ordering.answers.apply_account(customer.sf_account_id)
    ordering.fake_whmcs.services = [LINE]
    with pytest.raises(Conflict):
        await order(ordering, customer)
    ordering.fake_whmcs.services = [
        replace(LINE, status="terminated"),
        replace(LINE, product=ProductClass("installation", "internet")),
    ]
    tries = await asyncio.gather(*(order(ordering, customer) for _ in range(5)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in tries) == ["Conflict"] * 4 + ["Order"]
    with pytest.raises(Conflict):
        await ordering.drafts.begin(customer, "INTERNET-GOLD")


async def test_a_lost_event_is_found(
    ordering: OrderingServices, customer: Customer, worker: Database, make_customer: Callable
) -> None:
    await ordering.checks.request(customer)
    assert await ordering.answers.accounts_with_missed_answers() == []
    await hand_over(ordering, customer, worker)
    ordering.agents.answer("Home 1G")
    assert customer.sf_account_id in await ordering.answers.accounts_with_missed_answers()


async def test_a_request_belongs_to_its_customer_and_is_encrypted_in_the_database(
    ordering: OrderingServices, customer: Customer, make_customer: Callable, written: Written
) -> None:
    await ordering.checks.request(customer)
    ordering.agents.account = AddressCheck("001", "not_requested", datetime.now(UTC))
    assert (await ordering.checks.check_for(await make_customer())).status == "not_requested"
    query = "SELECT position('Azabu' in encode(address, 'escape')) FROM internet_eligibility WHERE user_id = :u"
    assert await written.number(query, u=customer.user_id) == 0
    query = "SELECT length(address) FROM internet_eligibility WHERE user_id = :u"
    assert await written.number(query, u=customer.user_id) > 100
