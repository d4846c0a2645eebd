"""Valkey and PostgreSQL are killed under running work, workers are stopped and lost: every order is finished."""

import os
import signal

from portal_app.infra.settings import Settings
from portal_app.jobs.worker_slots import LOCK_LOST
from tests.faults.boundary import Boundaries
from tests.support.clients.portal_driver import PortalDriver, provision_of
from tests.support.running.processes import Processes
from tests.support.running.world import world


async def test_orders_finish_when_valkey_is_killed_and_started_again_meanwhile(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    bought = await driver.reviewed_orders(2)
    for _, order in bought:
        await driver.approve(order)
    await boundaries.recorded(provision_of(bought[0][1]), "check_approval")
    valkey = world().valkey
    os.kill(int((valkey.home / "valkey.pid").read_text()), signal.SIGKILL)
    valkey.stop()
    try:
        await driver.expect_all_active_once(bought[:1])
    finally:
        valkey.start()
    await driver.expect_all_active_once(bought)


async def test_orders_finish_when_postgresql_is_restarted_and_the_worker_after_it(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    _, worker = processes.start_all("listener", "worker", settings=settings)
    bought = await driver.reviewed_orders(2)
    await driver.set_faults("whmcs", slow=0.5)
    for _, order in bought:
        await driver.approve(order)
    await driver.wait_for_stages([order for _, order in bought], "being_set_up")
    world().postgres.stop()
    world().postgres.start()
    assert worker.exit_code() == LOCK_LOST
    processes.start_all("worker", settings=settings)
    await driver.set_faults("whmcs")
    await driver.expect_all_active_once(bought)


async def test_a_terminated_worker_stops_cleanly_and_the_next_finishes_all(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    _, worker = processes.start_all("listener", "worker", settings=settings)
    bought = await driver.reviewed_orders(3)
    await driver.set_faults("whmcs", slow=0.3)
    for _, order in bought:
        await driver.approve(order)
    await boundaries.recorded(provision_of(bought[-1][1]), "check_approval")
    worker.terminate()
    assert worker.exit_code() == 0, worker.log()[-3000:]
    await driver.set_faults("whmcs")
    processes.start_all("worker", settings=settings)
    await driver.expect_all_active_once(bought)


async def test_surviving_worker_adopts_the_work_of_a_killed_one(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    processes.start_all("listener", "worker", "worker", settings=settings)
    bought = await driver.reviewed_orders(3)
    for _, order in bought:
        await driver.approve(order)
    slot = await boundaries.recorded(provision_of(bought[-1][1]), "check_payment_method")
    processes.of_slot(slot).kill()
    await driver.expect_all_active_once(bought)
