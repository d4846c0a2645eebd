"""What the agent decides, and an approval that finds no card."""

from portal_app.infra.settings import Settings
from tests.faults.processes import Processes
from tests.faults.shop import Shop
from tests.faults.waiting import until


async def test_order_without_card_is_parked_and_goes_on_when_agent_approves_again(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    bought = await shop.reviewed_orders(1)
    ((buyer, order),) = bought
    await shop.remove_cards(buyer)
    await shop.approve(order)
    await shop.wait_for_stage(order, "needs_attention")

    async def salesforce_says_why() -> bool:
        review = await shop.review_of(order)
        return (review["activation_status"], review["error"]) == ("Failed", "The customer has no payment method.")

    await until(salesforce_says_why, 20, "Salesforce says why the order failed")
    assert await shop.mails_written(buyer.customer.user_id, "order_needs_card") == 1
    assert await shop.orders_at_whmcs(buyer) == 0
    await shop.add_card(buyer)
    await shop.approve(order)
    await shop.expect_all_active_once(bought)


async def test_rejected_order_is_not_accepted_and_nothing_of_it_is_at_whmcs(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    ((buyer, order),) = await shop.reviewed_orders(1)
    await shop.reject(order)
    await shop.wait_for_stage(order, "not_accepted")
    assert await shop.mails_written(buyer.customer.user_id, "order_not_accepted") == 1
    assert await shop.orders_at_whmcs(buyer) == 0
