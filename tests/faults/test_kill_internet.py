"""Address checks and fibre orders while the worker is killed: one case, one announcement, one line, one opportunity."""

import asyncio

import pytest

from portal_app.domain.identifiers import step_reference
from portal_app.domain.orders.order import Order
from portal_app.infra.settings import Settings
from tests.faults.boundary import Boundaries
from tests.support.clients.fibre_orders import OFFER, answer, at_home, check_name, check_of, ordered, wait_for_check
from tests.support.clients.portal_driver import Buyer, PortalDriver, provision_of
from tests.support.running.processes import Processes
from tests.support.waiting import until

# Steps of fibre orders alone, and those of every order: test_kill_provisioning kills the worker at these, too.
OWN = ("check_alone", "link_line")
COMMON = ("place_billing_order", "accept_billing_order", "record_in_salesforce", "announce_active")
STEPS = (*OWN, *COMMON)


async def lines_of(driver: PortalDriver, order: Order) -> list[dict]:
    """Return the WHMCS services of an order, the line itself first."""
    reference = step_reference(order.id, "whmcs", order.attempt)
    services = (await driver.office.get("/whmcs/services")).json()
    return [row for row in services if reference in row["customfields"].values()]


async def expect_one_line(driver: PortalDriver, buyer: Buyer, order: Order) -> None:
    """Check that line and opportunity know each other, and that there is one of each."""
    line, *others = await lines_of(driver, order)
    (opportunity,) = (await check_of(driver, buyer))["opportunities"]
    assert (opportunity["StageName"], opportunity["WHMCS_Service_ID__c"]) == ("Active", str(line["id"]))
    assert opportunity["Id"] in line["customfields"].values()
    assert len(others) == 4, "installation, weekend, home phone and its setup"


@pytest.mark.soak
async def test_one_line_each_when_worker_is_killed_right_after_any_step(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    processes.start_all("listener", "worker", "worker", settings=settings)
    bought = list(await asyncio.gather(*(ordered(driver) for _ in STEPS)))
    for (_, order), step in zip(bought, STEPS, strict=True):
        await driver.approve(order)
        slot = await boundaries.recorded(provision_of(order), step)
        processes.of_slot(slot).kill()
        processes.start("worker", settings)
    await driver.expect_all_active_once(bought)
    for buyer, order in bought:
        await expect_one_line(driver, buyer, order)


@pytest.mark.parametrize("steps", [OWN, pytest.param(COMMON, marks=pytest.mark.soak)])
async def test_one_line_each_when_worker_is_killed_between_any_effect_and_its_record(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries, steps: tuple[str, ...]
) -> None:
    _, worker = processes.start_all("listener", "worker", settings=settings)
    bought = list(await asyncio.gather(*(ordered(driver) for _ in steps)))
    for (_, order), step in zip(bought, steps, strict=True):
        await boundaries.hold(provision_of(order), step)
        await driver.approve(order)
    await boundaries.wait_for_held(len(steps))
    worker.kill()
    await boundaries.let_go()
    processes.start_all("worker", settings=settings)
    await driver.expect_all_active_once(bought)
    for buyer, order in bought:
        await expect_one_line(driver, buyer, order)


async def test_one_case_and_one_answer_when_worker_is_killed_before_recording_a_request_already_answered(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    processes.start_all("listener", settings=settings)
    buyer = await at_home(driver)
    await driver.web.internet.checks.request(buyer.customer)
    await boundaries.hold(await check_name(driver, buyer), "hand_over_check")
    (worker,) = processes.start_all("worker", settings=settings)
    await boundaries.wait_for_held(1)
    await answer(driver, buyer, OFFER)
    worker.kill()
    await boundaries.let_go()
    processes.start_all("worker", settings=settings)
    await wait_for_check(driver, buyer, "eligible")
    check = await check_of(driver, buyer)
    assert (check["status"], len(check["cases"]), len(check["opportunities"])) == ("Eligible", 1, 1)
    assert await driver.mails_written(buyer.customer.user_id, "address_available") == 1


async def test_a_second_line_is_stopped_before_it_is_billed(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    buyer, order = await ordered(driver)
    # Taken by telephone, and approved first.
    await driver.order_at_salesforce(buyer, sku="INTERNET-SILVER-HOME-1G", Order_Type__c="Internet")

    async def appears() -> bool:
        return len(await driver.web.orders.orders_for(buyer.customer)) == 2

    await until(appears, "the agents' order appears")
    (other,) = [each for each in await driver.web.orders.orders_for(buyer.customer) if each.id != order.id]
    await until(lambda: driver.reviews_of(other), "Salesforce knows our id")
    await driver.approve(other)
    await driver.wait_for_stage(other, "active")
    await driver.approve(order)
    await driver.wait_for_step(order, "failed_SECOND_INTERNET")
    assert await lines_of(driver, order) == []
    assert await driver.stage(order) == "needs_attention"
