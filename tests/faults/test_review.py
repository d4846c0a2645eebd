"""What the agent decides, and an approval that finds no card."""

from portal_app.infra.settings import Settings
from tests.faults.processes import Processes
from tests.faults.shop import SKU, Shop
from tests.faults.waiting import until


async def test_order_without_card_is_paused_and_goes_on_by_itself_when_one_is_added(
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
    await shop.expect_all_active_once(bought)
    assert await shop.mails_written(buyer.customer.user_id, "order_needs_card") == 1
    review = await shop.review_of(order)
    assert review["error"] == ""


async def test_order_that_agents_made_appears_with_its_lines_and_is_provisioned_when_approved(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    buyer = await shop.buyer()
    sf_order_id = await shop.order_at_salesforce(buyer, Order_Type__c="VPN")

    async def appears() -> bool:
        return bool(await shop.web.orders.orders_for(buyer.customer))

    await until(appears, 30, "the agents' order appears")
    (order,) = await shop.web.orders.orders_for(buyer.customer)
    assert (order.stage, order.sf_order_id, [line.sku for line in order.lines]) == ("in_review", sf_order_id, [SKU])

    async def claimed() -> bool:
        return len(await shop.reviews_of(order)) == 1

    await until(claimed, 20, "Salesforce knows our id")
    await shop.approve(order)
    await shop.expect_all_active_once([(buyer, order)])
    assert ("placed", "staff") in await shop.timeline(order)


async def test_salesforce_learns_our_id_of_an_order_of_agents_when_it_is_away_at_first(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    buyer = await shop.buyer()
    await shop.set_mood("salesforce", down=True, operations=["update:Order"])
    await shop.order_at_salesforce(buyer, Order_Type__c="VPN")

    async def appears() -> bool:
        return bool(await shop.web.orders.orders_for(buyer.customer))

    await until(appears, 30, "the agents' order appears")
    (order,) = await shop.web.orders.orders_for(buyer.customer)
    assert await shop.reviews_of(order) == []
    await shop.all_well()

    async def claimed() -> bool:
        return len(await shop.reviews_of(order)) == 1

    await until(claimed, 40, "Salesforce knows our id")


async def test_rejected_order_is_not_accepted_and_nothing_of_it_is_at_whmcs(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    ((buyer, order),) = await shop.reviewed_orders(1)
    await shop.reject(order)
    await shop.wait_for_stage(order, "not_accepted")
    assert await shop.mails_written(buyer.customer.user_id, "order_not_accepted") == 1
    assert await shop.orders_at_whmcs(buyer) == 0
