"""Cancellations while workers die, answers are lost and customers change their minds: one outcome, one announcement."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest

from portal_app.domain.errors import Conflict
from portal_app.domain.orders.order import Order, OrderLine
from portal_app.domain.subscriptions.cancellation import (
    CancellationFeedback,
    CancellationRequest,
    CancellationRequester,
)
from portal_app.infra.clock import now
from portal_app.infra.database.durable import WakeTopic
from portal_app.infra.settings import Settings
from portal_app.services.subscriptions.cancellation_delivery import CancellationDelivery
from portal_app.services.subscriptions.cancellations import workflow_of
from portal_app.wiring.portal import Portal
from tests.faults.boundary import Boundaries
from tests.support.clients.placing import cancel_service, keep_service
from tests.support.clients.portal_driver import SKU, Buyer, PortalDriver
from tests.support.clients.sim_orders import reviewed
from tests.support.running.processes import Processes
from tests.support.waiting import until

STEPS = ("take", "request_cancellation", "note_sent")


@dataclass(frozen=True)
class Tenant:
    """Somebody with a service, who cancelled it."""

    buyer: Buyer
    request: CancellationRequest


async def tenants(driver: PortalDriver, count: int) -> list[Tenant]:
    """Return customers who each cancelled their service."""
    return await asyncio.gather(*(tenant(driver) for _ in range(count)))


async def tenant(driver: PortalDriver) -> Tenant:
    buyer = await driver.buyer(card=False)
    item = next(each for each in await driver.vendors.catalog.items() if each.sku == SKU)
    line = OrderLine(item.sku, item.name, item.cycle, item.price, item.pricebook_entry_id, item.whmcs_product_id)
    client_id = buyer.customer.whmcs_client_id
    placed = await driver.vendors.whmcs_orders.add_order(client_id, [line], reference=uuid4().hex)
    await driver.vendors.whmcs_orders.accept_order(placed.order_id)
    (service_id,) = placed.service_ids
    return await cancelled_by(driver, buyer, service_id)


async def cancelled_by(driver: PortalDriver, buyer: Buyer, service_id: int) -> Tenant:
    """Let a customer cancel a service."""
    # With the deadline of a worker: the page shows data of the mirror.
    await driver.web.subscriptions.services.freshness.read(buyer.customer)
    wish, asked = CancellationFeedback("price", "really"), await asking(driver, buyer)
    request = await cancel_service(driver.web, buyer.customer, service_id, wish, asked=asked)
    return Tenant(buyer, request)


async def asking(driver: PortalDriver, buyer: Buyer) -> CancellationRequester:
    """Sign a customer in and let them ask something new."""
    async with driver.web.database.identity() as session:
        opened = await driver.web.identity.sessions.open(
            session, buyer.customer.user_id, factors=("pwd",), browser="", address=""
        )
    return CancellationRequester(driver.web.identity.sessions.read_access_token(opened.access).session_id, buyer.email)


async def let_the_cut_off_pass(driver: PortalDriver, *cancelled: Tenant) -> None:
    """Make it the time to send some cancellations, and wake who waits for it."""
    for each in cancelled:
        await driver.rows(
            "UPDATE cancellations SET sends_at = now() - interval '1 second' WHERE id = %s", each.request.id
        )
        async with driver.mappings.unit_of_work() as session:
            name = workflow_of(each.request.id)
            await driver.web.queue.send(session, name, "look", topic=WakeTopic.CANCELLATION, key=uuid4().hex)


async def state(driver: PortalDriver, cancellation_id: UUID) -> str:
    return str(await driver.value("SELECT state FROM cancellations WHERE id = %s", cancellation_id))


async def at_whmcs(driver: PortalDriver, each: Tenant) -> list[dict[str, Any]]:
    """Return what WHMCS was asked to end of a customer's."""
    rows = (await driver.office.get("/whmcs/cancellations")).json()
    return [row for row in rows if row["relid"] == each.request.service_id]


async def expect_all_sent_once(driver: PortalDriver, cancelled: list[Tenant]) -> None:
    async def sent() -> bool:
        return all([await state(driver, each.request.id) == "sent" for each in cancelled])

    await until(sent, "every cancellation is sent")
    for each in cancelled:
        (asked,) = await at_whmcs(driver, each)
        assert asked["type"] == "End of Billing Period" and str(each.request.id) in asked["reason"]
        tags = await driver.rows(
            "SELECT tag FROM audit WHERE user_id = %s AND tag LIKE 'service:%%' ORDER BY id",
            each.buyer.customer.user_id,
        )
        assert [tag for (tag,) in tags] == ["service:cancellation:scheduled", "service:cancellation:sent"]
        assert await driver.mails_written(each.buyer.customer.user_id, "cancellation_scheduled") == 1


@pytest.mark.soak
async def test_cancellation_is_sent_once_when_worker_is_killed_right_after_any_step(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    processes.start_all("worker", "worker", settings=settings)
    cancelled = await tenants(driver, len(STEPS))
    for each, step in zip(cancelled, STEPS, strict=True):
        await let_the_cut_off_pass(driver, each)
        slot = await boundaries.recorded(workflow_of(each.request.id), step)
        processes.of_slot(slot).kill()
        processes.start("worker", settings)
    await expect_all_sent_once(driver, cancelled)


async def test_cancellation_is_sent_once_when_worker_is_killed_between_any_effect_and_its_record(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    cancelled = await tenants(driver, len(STEPS))
    await let_the_cut_off_pass(driver, *cancelled)
    for each, step in zip(cancelled, STEPS, strict=True):
        await boundaries.hold(workflow_of(each.request.id), step)
    (worker,) = processes.start_all("worker", settings=settings)
    await boundaries.wait_for_held(len(STEPS))
    worker.kill()
    await boundaries.let_go()
    processes.start_all("worker", settings=settings)
    await expect_all_sent_once(driver, cancelled)


async def test_one_request_when_whmcs_takes_it_and_the_answer_is_lost_and_agents_see_it(
    driver: PortalDriver, worker_side: Portal, processes: Processes, settings: Settings
) -> None:
    cancelled = await tenants(driver, 1)
    await driver.set_faults("whmcs", lose_answers=2, operations=["AddCancelRequest"])
    await let_the_cut_off_pass(driver, *cancelled)
    processes.start_all("worker", settings=settings)
    await expect_all_sent_once(driver, cancelled)
    request = cancelled[0].request

    async def shown() -> bool:
        found = await opportunities(worker_side, cancelled[0])
        wanted = ("Cancelling", request.ends_on.isoformat(), "It costs too much: really")
        return [tuple(row[name] for name in _SHOWN) for row in found] == [wanted]

    await until(shown, "agents see the service's end")
    (case,) = await cases(driver, request)
    assert (case["status"], request.ends_on.isoformat() in case["description"]) == ("New", True)


async def test_the_line_of_a_cancelled_sim_is_ended_once_and_a_refusal_opens_a_case(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    await driver.stock(2)
    bought = await asyncio.gather(reviewed(driver), reviewed(driver))
    for _, order in bought:
        await driver.approve(order)
    await driver.expect_all_active_once(list(bought))
    ended, refused = await asyncio.gather(*(tenant_of_line(driver, *each) for each in bought))
    await driver.set_faults("freebit", lose_answers=1, operations=["master/cnclAcnt/"])
    await let_the_cut_off_pass(driver, ended)
    await expect_all_sent_once(driver, [ended])

    async def is_ending() -> bool:
        return bool((await driver.lines_of(bought[0][1]))[bought[0][1].id]["cancel_on"])

    await until(is_ending, "the line is to end")
    lines = await driver.lines_of(*(order for _, order in bought))
    on = (ended.request.ends_on + timedelta(days=1)).strftime("%Y%m%d")
    assert [lines[order.id]["cancel_on"] for _, order in bought] == [on, ""]
    jobs = [job for job in await driver.sim_jobs() if job["account"] == lines[bought[0][1].id]["account"]]
    assert [job["kind"] for job in jobs].count("cancel") == 1
    # This call and no other: the line may still be looked at.
    await driver.set_faults("freebit", special={"wrong_code": 1}, operations=["master/cnclAcnt/"])
    await let_the_cut_off_pass(driver, refused)

    async def people_know() -> bool:
        reference = str(uuid5(refused.request.id, "line"))
        found = [row for row in (await driver.office.get("/cases")).json() if row["reference"] == reference]
        return [row["status"] for row in found] == ["New"]

    await until(people_know, "people are asked to end the line")
    assert await state(driver, refused.request.id) == "sent"


async def tenant_of_line(driver: PortalDriver, buyer: Buyer, order: Order) -> Tenant:
    """Let the customer of a SIM order cancel its service."""
    service_id = await driver.value("SELECT service_id FROM sim_reservations WHERE order_id = %s", order.id)
    return await cancelled_by(driver, buyer, service_id)


_SHOWN = ("StageName", "Cancellation_Month__c", "Cancellation_Reason__c")


async def opportunities(worker_side: Portal, each: Tenant) -> list[Any]:
    query = f"SELECT {', '.join(_SHOWN)} FROM Opportunity WHERE AccountId = {{account}}"
    return await worker_side.vendors.crm._client.query(query, account=each.buyer.customer.sf_account_id)


async def cases(driver: PortalDriver, request: CancellationRequest) -> list[dict[str, Any]]:
    return [row for row in (await driver.office.get("/cases")).json() if row["reference"] == str(request.id)]


async def test_withdrawing_and_sending_at_once_have_one_outcome(
    driver: PortalDriver, worker_side: Portal, settings: Settings
) -> None:
    cancelled = await tenants(driver, 8)
    # A worker whose clock is a year ahead: it sends while the customer may still withdraw.
    ahead = ahead_of_time(worker_side)
    asked = [await asking(driver, each.buyer) for each in cancelled]
    withdrawals = (
        keep_service(driver.web, each.buyer.customer, each.request.service_id, asked=one)
        for each, one in zip(cancelled, asked, strict=True)
    )
    results = await asyncio.gather(
        *(ahead.claim(each.request.id) for each in cancelled), *withdrawals, return_exceptions=True
    )
    for each, taken, kept in zip(cancelled, results[:8], results[8:], strict=True):
        stands = await state(driver, each.request.id)
        if isinstance(kept, Conflict):
            assert (taken, stands) == (0.0, "sending")
        else:
            assert (taken, kept, stands) == (None, None, "withdrawn")


def ahead_of_time(worker_side: Portal) -> CancellationDelivery:
    def clock() -> datetime:
        return now() + timedelta(days=365)

    own = worker_side.subscriptions.cancellation_delivery
    return CancellationDelivery(
        own._context,
        worker_side.vendors.subscriptions,
        worker_side.vendors.cancellations,
        live=worker_side.live,
        billing=worker_side.billing.invoices,
        subscriptions=worker_side.subscriptions.services,
        clock=clock,
    )


async def test_a_withdrawn_cancellation_is_never_sent_and_agents_see_that_too(
    driver: PortalDriver, worker_side: Portal, processes: Processes, settings: Settings
) -> None:
    (each,) = await tenants(driver, 1)
    processes.start_all("worker", settings=settings)

    async def shown() -> bool:
        return [row["status"] for row in await cases(driver, each.request)] == ["New"]

    await until(shown, "agents see the cancellation")
    asked = await asking(driver, each.buyer)
    await keep_service(driver.web, each.buyer.customer, each.request.service_id, asked=asked)

    async def gone() -> bool:
        closed = [row["status"] for row in await cases(driver, each.request)] == ["Closed"]
        return closed and await driver.web.queue.status(workflow_of(each.request.id)) == "SUCCESS"

    await until(gone, "the work has ended and agents see so")
    assert [row["StageName"] for row in await opportunities(worker_side, each)] == ["Active"]
    assert await at_whmcs(driver, each) == []
    assert await driver.mails_written(each.buyer.customer.user_id, "cancellation_withdrawn") == 1


@pytest.mark.parametrize("outcome", ["ended", "refused"])
async def test_the_end_and_a_refusal_are_announced_once(
    driver: PortalDriver, worker_side: Portal, outcome: str
) -> None:
    (each,) = await tenants(driver, 1)
    sending, number = ahead_of_time(worker_side), each.request.id
    await sending.claim(number)
    assert str(number) not in await worker_side.operations.invariants._late_cancellations()
    await driver.rows("UPDATE cancellations SET sends_at = now() - interval '2 hours' WHERE id = %s", number)
    assert str(number) in await worker_side.operations.invariants._late_cancellations()
    if outcome == "refused":
        for _ in range(2):
            await sending.refuse(number)
    else:
        await sending.send(number)
        await sending.note_sent(number)
        assert str(number) not in await sending.ended()
        await driver._call_whmcs("ModuleTerminate", serviceid=each.request.service_id)
        await worker_side.subscriptions.services.freshness.read(each.buyer.customer)
        assert str(number) in await sending.ended()
        for _ in range(2):
            await sending.end(number)
        assert str(number) not in await sending.ended()
    user = each.buyer.customer.user_id
    assert await state(driver, number) == outcome
    assert await driver.mails_written(user, f"cancellation_{outcome}") == 1
    statement = "SELECT count(*) FROM notices WHERE user_id = %s AND kind = %s"
    assert await driver.value(statement, user, f"cancellation_{outcome}") == 1
