"""A vendor does what it was asked and the answer is lost: found by our reference, never done twice."""

from portal_app.infra.settings import Settings
from tests.support.clients.portal_driver import PortalDriver, new_email
from tests.support.running.processes import Processes


async def test_one_order_when_whmcs_places_it_and_the_answer_is_lost(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    bought = await driver.reviewed_orders(1)
    await driver.set_faults("whmcs", lose_answers=2, operations=["AddOrder", "AcceptOrder"])
    await driver.approve(bought[0][1])
    await driver.expect_all_active_once(bought)


async def test_one_client_and_one_account_when_both_vendors_lose_their_answers(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    await driver.set_faults("whmcs", lose_answers=1, operations=["AddClient"])
    await driver.set_faults("salesforce", lose_answers=1, operations=["composite"])
    email = new_email()
    user = await driver.sign_up(email)
    processes.start_all("worker", settings=settings)
    await driver.wait_for_user(user, "active")
    await driver.expect_set_up_once(user, email)


async def test_one_salesforce_order_when_it_is_created_and_the_answer_is_lost(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    buyer = await driver.buyer()
    order = await driver.place(buyer)
    await driver.set_faults("salesforce", lose_answers=1, operations=["composite"])
    processes.start_all("worker", settings=settings)
    await driver.wait_for_stage(order, "in_review")
    assert len(await driver.reviews_of(order)) == 1
