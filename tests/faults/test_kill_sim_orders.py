"""SIM orders while answers of the carrier are lost and the worker is killed: one line, one SIM, one bill each."""

import asyncio

import pytest

from portal_app.domain.orders.order import Order
from portal_app.infra.settings import Settings
from tests.faults.boundary import Boundaries
from tests.support.clients.portal_driver import Buyer, PortalDriver, provision_of
from tests.support.clients.sim_orders import HOLDER, VOICE, VOICE_OPTIONS, ported, reviewed
from tests.support.running.processes import Processes

# Steps of SIM orders alone, and those of every order: test_kill_provisioning kills the worker at these, too.
OWN = ("reserve_sim", "open_line", "register_voice", "look_at_line", "record_line")
COMMON = ("place_billing_order", "accept_billing_order", "record_in_salesforce", "announce_active")
STEPS = (*OWN, *COMMON)


async def voice_orders(driver: PortalDriver, count: int) -> list[tuple[Buyer, Order]]:
    """Return voice orders on physical SIMs of a customer each: every step there is."""
    await driver.stock(count)
    return list(await asyncio.gather(*(reviewed(driver, sku=VOICE, **HOLDER, **VOICE_OPTIONS) for _ in range(count))))


async def expect_one_line_each(driver: PortalDriver, bought: list[tuple[Buyer, Order]]) -> None:
    """Wait until all are active, then count SIMs, lines, activations and voice registrations at the carrier."""
    await driver.expect_all_active_once(bought)
    lines = await driver.lines_of(*(order for _, order in bought))
    jobs = await driver.sim_jobs()
    for _, order in bought:
        number = lines[order.id]["account"]
        assert lines[order.id]["talk"]["voiceMail"] == "10"
        assert [job["kind"] for job in jobs if job["account"] == number].count("activate") <= 1
        assert [job["kind"] for job in jobs if job["account"] == number].count("voice") == 1
        assert await driver.product_number_of(order) == lines[order.id]["product_number"]


@pytest.mark.soak
async def test_one_line_each_when_worker_is_killed_right_after_any_step(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    processes.start_all("listener", "worker", "worker", settings=settings)
    bought = await voice_orders(driver, len(STEPS))
    for (_, order), step in zip(bought, STEPS, strict=True):
        await driver.approve(order)
        slot = await boundaries.recorded(provision_of(order), step)
        processes.of_slot(slot).kill()
        processes.start("worker", settings)
    await expect_one_line_each(driver, bought)


@pytest.mark.parametrize("steps", [OWN, pytest.param(COMMON, marks=pytest.mark.soak)])
async def test_one_line_each_when_worker_is_killed_between_any_effect_and_its_record(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries, steps: tuple[str, ...]
) -> None:
    _, worker = processes.start_all("listener", "worker", settings=settings)
    bought = await voice_orders(driver, len(steps))
    for (_, order), step in zip(bought, steps, strict=True):
        await boundaries.hold(provision_of(order), step)
        await driver.approve(order)
    await boundaries.wait_for_held(len(steps))
    worker.kill()
    await boundaries.let_go()
    processes.start_all("worker", settings=settings)
    await expect_one_line_each(driver, bought)


async def test_one_line_when_the_carrier_opens_it_and_every_answer_is_lost(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    bought = await voice_orders(driver, 1)
    operations = ["master/addAcnt/", "mvno/talkoption/addOrder/"]
    await driver.set_faults("freebit", lose_answers=2, operations=operations)
    await driver.approve(bought[0][1])
    await expect_one_line_each(driver, bought)


async def test_one_line_when_a_number_comes_along_and_the_answer_is_lost(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    await driver.stock(1)
    bought = [await reviewed(driver, sku=VOICE, **ported("09012340011"), **VOICE_OPTIONS)]
    await driver.set_faults("freebit", lose_answers=1, operations=["mvno/semiblack/addAcnt/"])
    await driver.approve(bought[0][1])
    await expect_one_line_each(driver, bought)


async def test_order_waits_for_a_carrier_that_is_away_and_is_billed_and_opened_once(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    bought = await voice_orders(driver, 1)
    await driver.set_faults("freebit", down=True)
    await driver.approve(bought[0][1])
    await driver.wait_for_step(bought[0][1], "service_set_up")
    await driver.set_faults("freebit")
    await expect_one_line_each(driver, bought)
