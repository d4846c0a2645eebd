"""Fibre for tests: a customer at a known address, checked by an agent, and an order of a line."""

from typing import Any

from portal_app.domain.checkout.request import OrderRequest
from portal_app.domain.internet.eligibility import address_id
from portal_app.domain.orders.order import Order
from portal_app.domain.profile.address import Address
from portal_app.domain.profile.profile import PersonalData
from portal_app.models.profile import ProfileRow
from tests.support.clients.placing import place_order
from tests.support.clients.portal_driver import Buyer, PortalDriver
from tests.support.values.people import ADDRESS
from tests.support.waiting import until

PLAN, OFFER = "INTERNET-GOLD-HOME-1G", "Home 1G"
HOME = Address.parse(ADDRESS)
ANSWERS = {
    "address": {"confirmed": "on", "address_id": address_id(HOME)},
    "connection": {"access_mode": "ipoe_home_gateway", "installation": "12m", "weekend": "on"},
    "phone": {"line": "new", "home_phone": "on"},
}


async def at_home(driver: PortalDriver) -> Buyer:
    """Return a customer whose address is known in Japanese, as after a sign-up."""
    return await settle(driver, await driver.buyer())


async def settle(driver: PortalDriver, buyer: Buyer) -> Buyer:
    """Let a customer's address be known in Japanese."""
    await driver.web.profile.profiles.profile_for(buyer.customer)
    async with driver.mappings.unit_of_work() as session:
        row = await ProfileRow.locked(session, buyer.customer.user_id)
        person = PersonalData.from_json(row.kept or "")
        row.kept = PersonalData(
            **{name: getattr(person, name) for name in person.__slots__} | {"address": HOME}
        ).to_json()
    return buyer


async def check_name(driver: PortalDriver, buyer: Buyer) -> str:
    """Return the name of the workflow that carries a customer's request."""
    query = "SELECT check_id FROM internet_eligibility WHERE user_id = %s"
    return f"check-address-{await driver.value(query, buyer.customer.user_id)}"


async def answer(driver: PortalDriver, buyer: Buyer, *offers: str) -> None:
    """Answer a customer's request in the back office."""
    path = f"/address-checks/{buyer.customer.sf_account_id}"
    (await driver.office.post(path, json={"offers": list(offers), "note": ""})).raise_for_status()


async def check_of(driver: PortalDriver, buyer: Buyer) -> dict[str, Any]:
    """Return a customer's check as the agent sees it."""
    rows = (await driver.office.get("/address-checks")).json()
    return next((row for row in rows if row["id"] == buyer.customer.sf_account_id), {})


async def wait_for_check(driver: PortalDriver, buyer: Buyer, status: str) -> None:
    """Wait until a customer's check stands so, here."""
    query = "SELECT count(*) FROM internet_eligibility WHERE user_id = %s AND status = %s AND is_handed_over"
    await until(lambda: driver.value(query, buyer.customer.user_id, status), f"the check is {status}")


async def checked(driver: PortalDriver) -> Buyer:
    """Return a customer whose address can have a line; worker and listener must run."""
    buyer = await at_home(driver)
    await driver.web.internet.checks.request(buyer.customer)
    await wait_for_check(driver, buyer, "pending")
    await answer(driver, buyer, OFFER)
    await wait_for_check(driver, buyer, "eligible")
    return buyer


async def ordered(driver: PortalDriver) -> tuple[Buyer, Order]:
    """Return an order of a line, waiting for review; worker and listener must run."""
    buyer = await checked(driver)
    wish = OrderRequest(PLAN, ANSWERS, has_accepted_terms=True)
    key = f"fibre-{buyer.customer.user_id}"
    order = await place_order(driver.web, buyer.customer, wish, key=key, recipient=buyer.email)
    await driver.wait_for_stage(order, "in_review")
    return buyer, order
