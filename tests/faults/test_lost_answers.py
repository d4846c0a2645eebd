"""A vendor does what it was asked and the answer is lost: found by our reference, never done twice."""

from portal_app.infra.settings import Settings
from tests.faults.processes import Processes
from tests.faults.shop import Shop, new_email


async def test_one_order_when_whmcs_places_it_and_the_answer_is_lost(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    bought = await shop.reviewed_orders(1)
    await shop.set_mood("whmcs", lose_answers=2, operations=["AddOrder", "AcceptOrder"])
    await shop.approve(bought[0][1])
    await shop.expect_all_active_once(bought)


async def test_one_client_and_one_account_when_both_vendors_lose_their_answers(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    await shop.set_mood("whmcs", lose_answers=1, operations=["AddClient"])
    await shop.set_mood("salesforce", lose_answers=1, operations=["composite"])
    email = new_email()
    user = await shop.sign_up(email)
    processes.start_all("worker", settings=settings)
    await shop.wait_for_user(user, "active")
    await shop.expect_set_up_once(user, email)


async def test_one_salesforce_order_when_it_is_created_and_the_answer_is_lost(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    buyer = await shop.buyer()
    order = await shop.place(buyer)
    await shop.set_mood("salesforce", lose_answers=1, operations=["composite"])
    processes.start_all("worker", settings=settings)
    await shop.wait_for_stage(order, "in_review")
    assert len(await shop.reviews_of(order)) == 1
