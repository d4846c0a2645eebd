"""Fees and instalments at the API: they are no services, and nobody cancels or renews them."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import UUID, uuid5

import httpx
import icalendar
import pytest

from portal_app.domain.errors import Conflict, NotAllowed
from portal_app.domain.money import Money
from portal_app.domain.orders.order import OrderLine
from portal_app.domain.profile.customer import Customer
from portal_app.models.user import User
from portal_app.wiring.portal import Portal
from tests.support.clients.cancelling import cancel, keep, path_of
from tests.support.clients.new_customer import chiyo
from tests.support.clients.visitor import Visitor
from tests.support.running.world import world

__all__ = ["chiyo"]
LINE, DENWA, DENWA_SETUP, INSTALMENT, SIM_FEE = 182, 246, 247, 244, 130
BILLED = (
    (LINE, "monthly"),
    (DENWA, "monthly"),
    (DENWA_SETUP, "onetime"),
    (INSTALMENT, "monthly"),
    (SIM_FEE, "onetime"),
)


@pytest.fixture
async def billed(chiyo: tuple[Visitor, Customer], worker: Portal) -> AsyncIterator[dict[int, int]]:
    """Service ids by product of a customer who has a fibre line with its add-on, its instalments, and old fees."""
    lines = [OrderLine("", str(pid), cycle, Money(1), "01uxx0000000001", pid) for pid, cycle in BILLED]
    client_id = chiyo[1].whmcs_client_id
    order = await worker.vendors.whmcs_orders.add_order(client_id, lines, reference=f"kinds-{client_id}")
    await worker.vendors.whmcs_orders.accept_order(order.order_id)
    async with worker.database.identity() as session:
        user = await session.get(User, chiyo[1].user_id)
        user.status = "active"
    yield {service.product_id: service.id for service in await worker.vendors.subscriptions.subscriptions(client_id)}


async def test_only_lines_and_add_ons_are_listed_renewed_and_cancelled(
    chiyo: tuple[Visitor, Customer], billed: dict[int, int]
) -> None:
    visitor, _ = chiyo
    listed = (await visitor.get("/api/subscriptions")).json()["items"]
    line, denwa = billed[LINE], billed[DENWA]
    assert [(row["id"], row["kind"], row["category"], row["line_id"]) for row in listed] == [
        (line, "line", "internet", None),
        (denwa, "add-on", "internet", line),
    ]
    assert [row["id"] for row in (await visitor.get("/api/me/summary")).json()["services"]] == [line, denwa]
    for product, words in ((INSTALMENT, "ends with it"), (SIM_FEE, "once and for all"), (DENWA_SETUP, "once and for")):
        path = f"/api/subscriptions/{billed[product]}"
        assert (await visitor.get(path)).json()["if_cancelled"] is None
        refused = await cancel(visitor, path)
        assert (refused.status_code, words in refused.json()["detail"]) == (409, True)
    assert (await visitor.get(f"/api/subscriptions/{line}")).json()["if_cancelled"]
    made = (await visitor.call("POST", "/api/me/calendar")).json()["url"]
    feed = icalendar.Calendar.from_ical((await visitor.get(urlsplit(made).path)).content)
    renewing = {str(event["uid"]).partition("@")[0] for event in feed.walk("VEVENT")}
    assert {uid for uid in renewing if uid.startswith("renewal")} == {f"renewal-{line}", f"renewal-{denwa}"}


async def test_an_old_activation_fee_is_no_key_to_family_plans_and_a_second_fibre_line_is_refused(
    chiyo: tuple[Visitor, Customer], billed: dict[int, int], portal: Portal
) -> None:
    for sku, refusal in (("SIM-DATA-VOICE-5GB-FAMILY", NotAllowed), ("INTERNET-GOLD-HOME-1G", Conflict)):
        with pytest.raises(refusal):
            await portal.checkout.plan(chiyo[1], sku)


async def test_what_hangs_on_a_cancelled_line_ends_with_it_once(
    chiyo: tuple[Visitor, Customer], billed: dict[int, int], worker: Portal
) -> None:
    visitor, line = chiyo[0], billed[LINE]
    taken = UUID((await cancel(visitor, f"/api/subscriptions/{line}")).json()["id"])
    for _ in range(2):
        assert await worker.subscriptions.add_on_endings.order(taken) == []
    asked = await worker.vendors.subscriptions.cancellations()
    assert {product for product, service_id in billed.items() if service_id in asked} == {DENWA, INSTALMENT}
    for product in (DENWA, INSTALMENT):
        request = asked[billed[product]]
        assert request.at_period_end and str(line) in request.reason and str(taken) in request.reason


async def test_what_cannot_be_ended_with_its_line_is_named_to_agents(ben: Visitor, worker: Portal) -> None:
    path = await path_of(ben)
    taken = UUID((await cancel(ben, path)).json()["id"])
    for _ in range(2):
        await worker.subscriptions.add_on_endings.ask_people(taken, ["7 Phone (add-on): its line is not known"])
    async with httpx.AsyncClient(base_url=f"{world().office}/api") as office:
        cases = (await office.get("/cases")).json()
    (case,) = [row for row in cases if row["reference"] == str(uuid5(taken, "add-ons"))]
    assert case["status"] == "New" and "7 Phone (add-on)" in case["description"]
    await keep(ben, path)
