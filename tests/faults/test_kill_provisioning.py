"""The worker is killed at and within every step of provisioning: each order ends active, billed once."""

import pytest

from portal_app.infra.settings import Settings
from tests.faults.boundary import Boundaries
from tests.support.clients.portal_driver import PortalDriver, provision_of
from tests.support.running.processes import Processes

STEPS = (
    "check_approval",
    "check_payment_method",
    "read_kind",
    "place_billing_order",
    "accept_billing_order",
    "record_in_salesforce",
    "announce_active",
)


@pytest.mark.soak
async def test_order_is_billed_once_when_worker_is_killed_right_after_any_step(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    processes.start_all("listener", "worker", "worker", settings=settings)
    bought = await driver.reviewed_orders(len(STEPS))
    for (_, order), step in zip(bought, STEPS, strict=True):
        await driver.approve(order)
        slot = await boundaries.recorded(provision_of(order), step)
        processes.of_slot(slot).kill()
        processes.start("worker", settings)
    await driver.expect_all_active_once(bought)


async def test_order_is_billed_once_when_worker_is_killed_between_any_effect_and_its_record(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    _, worker = processes.start_all("listener", "worker", settings=settings)
    bought = await driver.reviewed_orders(len(STEPS))
    for (_, order), step in zip(bought, STEPS, strict=True):
        await boundaries.hold(provision_of(order), step)
        await driver.approve(order)
    await boundaries.wait_for_held(len(STEPS))
    worker.kill()
    await boundaries.let_go()
    processes.start_all("worker", settings=settings)
    await driver.expect_all_active_once(bought)


async def test_order_is_handed_over_once_and_not_moved_back_when_worker_is_killed_before_noting_it(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    _, worker = processes.start_all("listener", "worker", settings=settings)
    buyer = await driver.buyer()
    order = await driver.place(buyer)
    await boundaries.hold(f"hand-over-{order.id}", "hand_over")
    await boundaries.wait_for_held(1)
    worker.kill()
    await driver.approve(order)
    await boundaries.let_go()
    processes.start_all("worker", settings=settings)
    await driver.expect_all_active_once([(buyer, order)])
