"""The worker is killed while WHMCS still works on its call, which goes through: no second one may follow."""

import asyncio

from portal_app.infra.settings import Settings
from portal_app.wiring.portal import Portal
from tests.support.clients.portal_driver import PortalDriver, new_email
from tests.support.running.processes import Processes
from tests.support.waiting import until


async def asked(driver: PortalDriver, operation: str) -> int:
    """Return how often WHMCS was asked for something, whether it has answered yet or not."""
    return int((await driver.office.get("/calls")).json()["whmcs"].get(operation, 0))


async def wait_for_call_at_whmcs(driver: PortalDriver, operation: str, before: int) -> None:
    """Wait until WHMCS was asked once more."""

    async def is_asked() -> bool:
        return await asked(driver, operation) > before

    await until(is_asked, f"{operation} under way at WHMCS")


async def test_one_client_when_worker_dies_while_whmcs_adds_it(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("worker", "worker", settings=settings)
    await driver.set_faults("whmcs", slow=2.0, operations=["AddClient"])
    email, before = new_email(), await asked(driver, "AddClient")
    user = await driver.sign_up(email)
    await wait_for_call_at_whmcs(driver, "AddClient", before)
    await kill_owner(driver, processes, f"sign-up-{user}")
    await driver.wait_for_user(user, "active")
    await driver.expect_set_up_once(user, email)


async def test_one_client_when_a_step_runs_again_while_its_first_run_is_still_at_whmcs(driver: PortalDriver) -> None:
    await driver.set_faults("whmcs", slow=0.5, operations=["AddClient"])
    email = new_email()
    user = await driver.sign_up(email)
    first, second = await asyncio.gather(*(driver.onboarding.create_billing_client(user) for _ in range(2)))
    assert [row["id"] for row in await driver.clients_of(email)] == [first] == [second]


async def test_one_order_when_worker_dies_while_whmcs_places_it(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    settling = settings.model_copy(update={"whmcs_settle_seconds": 5.0})
    processes.start_all("listener", "worker", "worker", settings=settling)
    ((buyer, order),) = await driver.reviewed_orders(1)
    await driver.set_faults("whmcs", slow=2.0, operations=["AddOrder"])
    before = await asked(driver, "AddOrder")
    await driver.approve(order)
    await wait_for_call_at_whmcs(driver, "AddOrder", before)
    await kill_owner(driver, processes, f"provision-{order.id}-1")
    await driver.expect_all_active_once([(buyer, order)])


async def test_one_set_up_when_a_step_runs_again_while_whmcs_still_accepts_the_order(
    driver: PortalDriver, worker_side: Portal
) -> None:
    billing = worker_side.provisioning.billing
    order = await driver.place(await driver.buyer())
    await billing.place(order.id)
    await driver.set_faults("whmcs", slow=0.5, operations=["AcceptOrder"])
    before = await asked(driver, "AcceptOrder")
    results = await asyncio.gather(*(billing.accept(order.id) for _ in range(2)), return_exceptions=True)
    assert sorted(map(str, results)) == ["None", "an earlier call may still be running"]
    await billing.accept(order.id)
    assert await asked(driver, "AcceptOrder") == before + 1


async def test_many_orders_do_not_take_all_slots_at_once(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("worker", settings=settings)
    buyers = await asyncio.gather(*(driver.buyer() for _ in range(14)))
    await driver.set_faults("salesforce", slow=0.5)
    orders = [await driver.place(buyer) for buyer in buyers]
    at_salesforce: list[int] = []

    async def count() -> None:
        while True:
            state = (await driver.web.vendors.limiter_states())["salesforce"]
            at_salesforce.append(state["running"] + state["waiting"]["background"])
            await asyncio.sleep(0.01)

    # Counted while the orders are awaited, because asking for their stages takes longer than a call.
    counting = asyncio.create_task(count())
    await driver.wait_for_stages(orders, "in_review")
    counting.cancel()
    # More than one at once shows that the orders are a crowd; how many more depends on how busy the machine is.
    # The bound is for everything that asks Salesforce meanwhile.
    assert 1 < max(at_salesforce) < len(orders)


async def kill_owner(driver: PortalDriver, processes: Processes, workflow_id: str) -> None:
    """Kill the worker that runs a workflow."""
    query = "SELECT executor_id FROM dbos.workflow_status WHERE workflow_uuid = %s AND executor_id LIKE 'slot-%%'"
    owners: list[tuple[str]] = []

    async def is_owned() -> bool:
        owners.extend(await driver.rows(query, workflow_id))
        return bool(owners)

    await until(is_owned, "a worker runs the workflow")
    processes.of_slot(owners[0][0]).kill()
