"""Every kind of SIM order ends as a working line, written everywhere; what one lacks is said, and mended it goes on."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal_app.infra.settings import Settings
from tests.documents import picture
from tests.faults.processes import Processes
from tests.faults.shop import Shop
from tests.faults.sim_orders import DATA, EID, HOLDER, VOICE, VOICE_OPTIONS, ported, reviewed
from tests.faults.waiting import until

KINDS: list[tuple[str, str, dict[str, Any], dict[str, str]]] = [
    ("Physical SIM", DATA, {}, {"plan": "PASI_D05G", "kind": "physical", "eid": ""}),
    ("Physical SIM", VOICE, {**HOLDER, **VOICE_OPTIONS}, {"plan": "PASI_V05G", "kind": "physical"}),
    ("eSIM", DATA, {}, {"kind": "esim", "eid": EID}),
    ("eSIM", VOICE, {**HOLDER, "SIM_Voice_Mail__c": True}, {"kind": "esim", "eid": EID}),
    ("Physical SIM", VOICE, {**ported("09012340001"), **VOICE_OPTIONS}, {"account": "09012340001"}),
    ("eSIM", VOICE, ported("09012340002"), {"account": "09012340002", "eid": EID}),
]


async def test_each_kind_of_sim_order_becomes_an_active_line_that_is_written_everywhere(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    await shop.stock(4)
    await shop.stock(3, esim=True)
    bought = await asyncio.gather(*(reviewed(shop, sku=sku, sim=sim, **fields) for sim, sku, fields, _ in KINDS))
    for _, order in bought:
        await shop.approve(order)
    await shop.expect_all_active_once(list(bought))
    lines = await shop.lines_of(*(order for _, order in bought))
    services = (await shop.office.get("/whmcs/services")).json()
    for (_, order), (_, _, fields, expected) in zip(bought, KINDS, strict=True):
        line = lines[order.id]
        assert {name: line[name] for name in expected} == expected
        assert line["state"] == "active"
        assert (line["talk"]["voiceMail"] == "10") is bool(fields.get("SIM_Voice_Mail__c"))
        assert any(line["account"] in row["customfields"].values() for row in services)


async def test_customer_sees_the_number_and_state_of_the_line_and_a_stranger_does_not(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    await shop.stock(1)
    buyer, order = await reviewed(shop)
    await shop.approve(order)
    await shop.expect_all_active_once([(buyer, order)])
    line = (await shop.lines_of(order))[order.id]
    service = await shop.value("SELECT service_id FROM sim_reservations WHERE order_id = %s", order.id)
    shown = await shop.web.sim.line_status.line_of(buyer.customer, service)
    assert shown is not None and (shown.number, shown.state, shown.as_of) == (line["account"], "active", None)
    stranger = await shop.buyer(card=False)
    assert await shop.web.sim.line_status.line_of(stranger.customer, service) is None
    await shop.set_mood("freebit", down=True)
    saved = await shop.web.sim.line_status.line_of(buyer.customer, service)
    assert saved is not None and saved.state == "active" and saved.as_of is not None


async def test_orders_for_the_last_sim_never_share_it_and_the_other_goes_on_with_new_stock(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", "worker", settings=settings)
    await use_up_stock(shop)
    await shop.stock(1, esim=True)
    bought = await asyncio.gather(*(reviewed(shop, sim="eSIM") for _ in range(2)))
    await asyncio.gather(*(shop.approve(order) for _, order in bought))

    async def decided() -> bool:
        return sorted([await shop.stage(order) for _, order in bought]) == ["active", "needs_attention"]

    await until(decided, "one active, one without a SIM")
    (late,) = [order for _, order in bought if await shop.stage(order) == "needs_attention"]

    async def agent_knows_why() -> bool:
        return (await shop.review_of(late))["error"] == "No SIM of type eSIM is available."

    await until(agent_knows_why, "the agent reads why")
    await shop.stock(1, esim=True)
    await shop.approve(late)
    await shop.expect_all_active_once(list(bought))
    await shop.lines_of(*(order for _, order in bought))


async def use_up_stock(shop: Shop) -> None:
    """Retire every eSIM of the inventory, as an agent may."""
    desk = shop.vendors.sim_inventory
    for sim in await desk.available("esim"):
        await shop.retire(sim.id)


@pytest.mark.parametrize(
    ("sku", "fields", "error"),
    [
        (VOICE, {}, "Fill in whose voice line it is"),
        (DATA, {"SIM_Type__c": "eSIM"}, "EID__c is not an EID"),
        (DATA, {"MNP_Application__c": True, **HOLDER}, "MNP_Phone_Number__c is no mobile number"),
    ],
)
async def test_order_that_lacks_something_says_what_and_nothing_of_it_is_billed(
    shop: Shop, processes: Processes, settings: Settings, sku: str, fields: dict[str, Any], error: str
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    buyer, order = await reviewed(shop, sku=sku)
    await shop.edit_review(order, **fields)
    await shop.approve(order)
    await shop.wait_for_stage(order, "needs_attention")

    async def agent_knows_why() -> bool:
        return error in (await shop.review_of(order))["error"]

    await until(agent_knows_why, "the agent reads why")
    assert await shop.orders_at_whmcs(buyer) == 0


async def test_scheduled_order_waits_for_its_day_unbilled_and_then_goes_on(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    await shop.stock(1)
    buyer, order = await reviewed(shop)
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=8)
    await shop.edit_review(order, Activation_Type__c="Scheduled", Activation_Scheduled_At__c=begins.isoformat())
    await shop.approve(order)

    async def waits() -> bool:
        return "scheduled" in [step for step, _ in await shop.timeline(order)]

    await until(waits, "the order waits for its day")
    assert await shop.orders_at_whmcs(buyer) == 0
    await shop.expect_all_active_once([(buyer, order)])
    billed = await shop.value("SELECT at FROM order_events WHERE order_id = %s AND step = 'billing_created'", order.id)
    assert billed >= begins


async def test_line_that_the_carrier_does_not_open_in_time_stops_and_goes_on_when_approved_again(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    impatient = settings.model_copy(update={"freebit_opening_seconds": 0})
    processes.start_all("listener", "worker", settings=impatient)
    await shop.stock(1)
    buyer, order = await reviewed(shop)
    await shop.set_mood("freebit", special={"hold_activations": 1})
    await shop.approve(order)
    await shop.wait_for_stage(order, "needs_attention")

    async def agent_knows_why() -> bool:
        return "carrier has not opened" in (await shop.review_of(order))["error"]

    async def carrier_opened_it() -> bool:
        return (await shop.lines_of(order))[order.id]["state"] == "active"

    await until(agent_knows_why, "the agent reads why")
    await shop.set_mood("freebit")
    # With no time to wait, an approval before the carrier is ready would only stop the order once more.
    await until(carrier_opened_it, "the carrier opened the line")
    await shop.approve(order)
    await shop.expect_all_active_once([(buyer, order)])
    await shop.lines_of(order)


async def test_voice_order_of_an_unverified_customer_waits_unbilled_and_goes_on_when_the_agent_verifies(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    await shop.stock(1)
    buyer, order = await reviewed(shop, sku=VOICE, is_verified=False, **HOLDER)
    await shop.approve(order)
    await shop.wait_for_stage(order, "needs_attention")

    async def agent_knows_why() -> bool:
        return "Identity not verified" in (await shop.review_of(order))["error"]

    await until(agent_knows_why, "the agent reads why")
    assert await shop.orders_at_whmcs(buyer) == 0
    await shop.web.profile.kyc_documents.submit(buyer.customer, picture(), name="card.jpg")

    async def arrived() -> bool:
        check = await shop.web.profile.kyc_documents.check_for(buyer.customer)
        return check.status == "submitted" and not check.is_pending

    await until(arrived, "the document is with the agents")
    assert await shop.value("SELECT count(*) FROM identity_files WHERE user_id = %s", buyer.customer.user_id) == 0
    await shop.decide_identity(buyer)
    await shop.expect_all_active_once([(buyer, order)])
    assert [step for step, _ in await shop.timeline(order)][:5] == [
        "placed", "in_review", "approved", "waiting_for_identity", "identity_verified",
    ]  # fmt: skip
