"""Every kind of SIM order ends as a working line; an incomplete one says what is missing and continues later."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal_app.infra.settings import Settings
from tests.support.clients.kyc_customer import hand_in
from tests.support.clients.portal_driver import PortalDriver
from tests.support.clients.sim_orders import DATA, EID, HOLDER, VOICE, VOICE_OPTIONS, ported, reviewed
from tests.support.running.processes import Processes
from tests.support.values.documents import picture
from tests.support.waiting import until

KINDS: list[tuple[str, str, dict[str, Any], dict[str, str]]] = [
    ("Physical SIM", DATA, {}, {"plan": "PASI_D05G", "kind": "physical", "eid": ""}),
    ("Physical SIM", VOICE, {**HOLDER, **VOICE_OPTIONS}, {"plan": "PASI_V05G", "kind": "physical"}),
    ("eSIM", DATA, {}, {"kind": "esim", "eid": EID}),
    ("eSIM", VOICE, {**HOLDER, "SIM_Voice_Mail__c": True}, {"kind": "esim", "eid": EID}),
    ("Physical SIM", VOICE, {**ported("09012340001"), **VOICE_OPTIONS}, {"account": "09012340001"}),
    ("eSIM", VOICE, ported("09012340002"), {"account": "09012340002", "eid": EID}),
]


async def test_each_kind_of_sim_order_becomes_an_active_line_that_is_written_everywhere(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    await driver.stock(4)
    await driver.stock(3, esim=True)
    bought = await asyncio.gather(*(reviewed(driver, sku=sku, sim=sim, **fields) for sim, sku, fields, _ in KINDS))
    for _, order in bought:
        await driver.approve(order)
    await driver.expect_all_active_once(list(bought))
    lines = await driver.lines_of(*(order for _, order in bought))
    services = (await driver.office.get("/whmcs/services")).json()
    for (_, order), (_, _, fields, expected) in zip(bought, KINDS, strict=True):
        line = lines[order.id]
        assert {name: line[name] for name in expected} == expected
        assert line["state"] == "active"
        assert (line["talk"]["voiceMail"] == "10") is bool(fields.get("SIM_Voice_Mail__c"))
        assert any(line["account"] in row["customfields"].values() for row in services)


async def test_customer_sees_the_number_and_state_of_the_line_and_a_stranger_does_not(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    await driver.stock(1)
    buyer, order = await reviewed(driver)
    await driver.approve(order)
    await driver.expect_all_active_once([(buyer, order)])
    line = (await driver.lines_of(order))[order.id]
    service = await driver.value("SELECT service_id FROM sim_reservations WHERE order_id = %s", order.id)
    shown = await driver.web.sim.line_status.line_of(buyer.customer, service)
    assert shown is not None and (shown.number, shown.state, shown.as_of) == (line["account"], "active", None)
    stranger = await driver.buyer(card=False)
    assert await driver.web.sim.line_status.line_of(stranger.customer, service) is None
    await driver.set_faults("freebit", down=True)
    older = "UPDATE sim_lines SET read_at = read_at - interval '10 minutes' WHERE service_id = %s RETURNING service_id"
    assert await driver.value(older, service) == service, "read minutes ago: the carrier would not be asked"
    saved = await driver.web.sim.line_status.line_of(buyer.customer, service)
    assert saved is not None and saved.state == "active" and saved.as_of is not None


async def test_orders_for_the_last_sim_never_share_it_and_the_other_goes_on_with_new_stock(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", "worker", settings=settings)
    await use_up_stock(driver)
    await driver.stock(1, esim=True)
    bought = await asyncio.gather(*(reviewed(driver, sim="eSIM") for _ in range(2)))
    await asyncio.gather(*(driver.approve(order) for _, order in bought))

    async def decided() -> bool:
        return sorted([await driver.stage(order) for _, order in bought]) == ["active", "needs_attention"]

    await until(decided, "one active, one without a SIM")
    (late,) = [order for _, order in bought if await driver.stage(order) == "needs_attention"]

    async def agent_knows_why() -> bool:
        return (await driver.review_of(late))["error"] == "No SIM of type eSIM is available."

    await until(agent_knows_why, "the agent reads why")
    await driver.stock(1, esim=True)
    await driver.approve(late)
    await driver.expect_all_active_once(list(bought))
    await driver.lines_of(*(order for _, order in bought))


async def use_up_stock(driver: PortalDriver) -> None:
    """Retire every eSIM of the inventory, as an agent may."""
    inventory = driver.vendors.sim_inventory
    for sim in await inventory.available("esim"):
        await driver.retire(sim.id)


@pytest.mark.parametrize(
    ("sku", "fields", "error"),
    [
        (VOICE, {}, "Fill in whose voice line it is"),
        (DATA, {"SIM_Type__c": "eSIM"}, "EID__c is not an EID"),
        (DATA, {"MNP_Application__c": True, **HOLDER}, "MNP_Phone_Number__c is no mobile number"),
    ],
)
async def test_an_incomplete_order_says_what_is_missing_and_is_not_billed(
    driver: PortalDriver, processes: Processes, settings: Settings, sku: str, fields: dict[str, Any], error: str
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    buyer, order = await reviewed(driver, sku=sku)
    await driver.edit_review(order, **fields)
    await driver.approve(order)
    await driver.wait_for_stage(order, "needs_attention")

    async def agent_knows_why() -> bool:
        return error in (await driver.review_of(order))["error"]

    await until(agent_knows_why, "the agent reads why")
    assert await driver.orders_at_whmcs(buyer) == 0


async def test_scheduled_order_waits_for_its_day_unbilled_and_then_goes_on(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    await driver.stock(1)
    buyer, order = await reviewed(driver)
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    await driver.edit_review(order, Activation_Type__c="Scheduled", Activation_Scheduled_At__c=later.isoformat())
    await driver.approve(order)
    await driver.wait_for_step(order, "scheduled")
    assert await driver.orders_at_whmcs(buyer) == 0
    # An agent brings it forward: the hour itself is too long for a test.
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    await driver.edit_review(order, Activation_Scheduled_At__c=begins.isoformat())
    await driver.expect_all_active_once([(buyer, order)])
    billed = await driver.value(
        "SELECT at FROM order_events WHERE order_id = %s AND step = 'billing_created'", order.id
    )
    assert billed >= begins


async def test_line_that_the_carrier_does_not_open_in_time_stops_and_goes_on_when_approved_again(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    hurried = settings.model_copy(update={"freebit_opening_seconds": 0})
    processes.start_all("listener", "worker", settings=hurried)
    await driver.stock(1)
    buyer, order = await reviewed(driver)
    await driver.set_faults("freebit", special={"hold_activations": 1})
    await driver.approve(order)
    await driver.wait_for_stage(order, "needs_attention")

    async def agent_knows_why() -> bool:
        return "carrier has not opened" in (await driver.review_of(order))["error"]

    async def carrier_opened_it() -> bool:
        return (await driver.lines_of(order))[order.id]["state"] == "active"

    await until(agent_knows_why, "the agent reads why")
    await driver.set_faults("freebit")
    # With no time to wait, an approval before the carrier is ready would only stop the order once more.
    await until(carrier_opened_it, "the carrier opened the line")
    await driver.approve(order)
    await driver.expect_all_active_once([(buyer, order)])
    await driver.lines_of(order)


async def test_voice_order_of_an_unverified_customer_waits_unbilled_and_goes_on_when_the_agent_verifies(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    await driver.stock(1)
    buyer, order = await reviewed(driver, sku=VOICE, is_verified=False, **HOLDER)
    await driver.approve(order)
    await driver.wait_for_stage(order, "needs_attention")

    async def agent_knows_why() -> bool:
        return "Identity not verified" in (await driver.review_of(order))["error"]

    await until(agent_knows_why, "the agent reads why")
    assert await driver.orders_at_whmcs(buyer) == 0
    await hand_in(driver.web, buyer.customer, picture())

    async def arrived() -> bool:
        check = await driver.web.profile.kyc_documents.check_for(buyer.customer)
        return check.status == "submitted" and not check.is_pending

    await until(arrived, "the document is with the agents")
    assert await driver.value("SELECT count(*) FROM upload_parts WHERE user_id = %s", buyer.customer.user_id) == 0
    await driver.decide_identity(buyer)
    await driver.expect_all_active_once([(buyer, order)])
    assert [step for step, _ in await driver.timeline(order)][:5] == [
        "placed", "in_review", "approved", "waiting_for_identity", "identity_verified",
    ]  # fmt: skip
