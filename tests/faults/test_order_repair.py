"""What an operator does about an order: shown first, done once, and only on their word."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portal_app.domain.orders.order import Order
from portal_app.infra.settings import Settings
from portal_app.wiring.portal import Portal
from tests.support.clients.portal_driver import PortalDriver
from tests.support.clients.sim_orders import reviewed
from tests.support.running.processes import Processes, command

Operator = Callable[..., str]


@pytest.fixture
def operator(settings: Settings, tmp_path: Path) -> Operator:
    """Run `portal orders` as an operator does and return what it says."""
    return lambda *words: command(settings, "orders", *words, log=tmp_path / "orders.log")


async def stopped_sim_order(driver: PortalDriver) -> Order:
    """Return an order that stopped after billing: the carrier made nothing of its line."""
    await driver.stock(1)
    _, order = await reviewed(driver)
    await driver.set_faults("freebit", special={"fail_activation": 1})
    await driver.approve(order)
    await driver.wait_for_stage(order, "needs_attention")
    await driver.set_faults("freebit")
    return order


async def test_operator_sees_what_retry_would_do_and_then_does_it(
    driver: PortalDriver, processes: Processes, settings: Settings, operator: Operator
) -> None:
    # The carrier's pause between two openings, ten minutes, is for one that is under way, not for one that failed.
    long_pause = settings.model_copy(update={"freebit_pending_seconds": 600})
    processes.start_all("listener", "worker", settings=long_pause)
    order = await stopped_sim_order(driver)
    assert str(order.id) in operator("list")
    assert "failed_LINE_NOT_OPENED" in operator("show", str(order.id))
    shown = operator("retry", str(order.id))
    assert "Activating again" in shown and "Nothing was done" in shown
    assert await driver.stage(order) == "needs_attention"
    operator("retry", str(order.id), "--yes")
    await driver.wait_for_stage(order, "active")
    assert (await driver.lines_of(order))[order.id]["state"] == "active"
    assert len(await driver.billed(order)) == 1
    assert "Nothing to do" in operator("undo", str(order.id))


async def test_an_undone_order_returns_its_sim_and_becomes_active_once_when_approved_again(
    driver: PortalDriver, processes: Processes, settings: Settings, worker_side: Portal, operator: Operator
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    order = await stopped_sim_order(driver)
    first = await driver.billed(order)
    assert "Nothing was done" in operator("undo", str(order.id))
    for _ in range(2):
        operator("undo", str(order.id), "--yes")
    assert await driver.stage(order) == "in_review"
    assert await driver.value("SELECT attempt FROM orders WHERE id = %s", order.id) == 2
    assert await driver.value("SELECT count(*) FROM sim_reservations WHERE order_id = %s", order.id) == 0
    cancelled = await worker_side.vendors.subscriptions.cancellations()
    services = (await driver.office.get("/whmcs/services")).json()
    assert {row["id"] for row in services if row["orderid"] in first} <= set(cancelled)
    await driver.approve(order)
    await driver.wait_for_stage(order, "active")
    again = await driver.web.orders.orders_for((await worker_side.provisioning.progress.order(order.id))[1])
    assert len(await driver.billed(again[0])) == 1


async def test_undone_fibre_order_leaves_no_opportunity_active(driver: PortalDriver, worker_side: Portal) -> None:
    buyer = await driver.buyer()
    order, parts = await driver.place(buyer), worker_side.provisioning
    await parts.review.hand_over(order.id)
    billed = await parts.billing.place(order.id)
    await parts.billing.accept(order.id)
    await parts.internet.link(order.id, billed.service_ids[0])
    await parts.review.fail(order.id, code="STOPPED", message="An agent looks into it.")
    account, opportunities = buyer.customer.sf_account_id, worker_side.vendors.internet
    opportunity = await opportunities.opportunity_of(account, billed.service_ids[0])
    actions = await worker_side.operations.order_repair.undo(order.id)
    assert f"Salesforce: set the opportunity {opportunity} of service" in " ".join(
        action.description for action in actions
    )
    for action in (*actions, *actions):
        await action.run()
    assert await opportunities.opportunity_of(account, billed.service_ids[0]) is None
    assert await driver.stage(order) == "in_review" and await worker_side.operations.order_repair.undo(order.id) == []
