"""What the agent decides, and an approval that finds no card."""

from dataclasses import replace

from portal_app.infra.clock import now
from portal_app.infra.settings import Settings
from portal_app.wiring.portal import Portal
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

    await until(salesforce_says_why, "Salesforce says why the order failed")
    assert await shop.mails_written(buyer.customer.user_id, "order_needs_card") == 1
    assert await shop.orders_at_whmcs(buyer) == 0
    await shop.add_card(buyer)
    await shop.expect_all_active_once(bought)
    assert await shop.mails_written(buyer.customer.user_id, "order_needs_card") == 1
    review = await shop.review_of(order)
    assert review["error"] == ""


async def test_an_old_reading_does_not_move_a_paused_order_back_and_a_pause_keeps_its_name(
    shop: Shop, processes: Processes, settings: Settings, worker_side: Portal
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    ((buyer, order),) = await shop.reviewed_orders(1)
    await shop.remove_cards(buyer)
    before = now()
    await shop.approve(order)
    await shop.wait_for_stage(order, "needs_attention")
    review = worker_side.provisioning.review

    async def salesforce_knows() -> bool:
        return (await review.read((await shop.review_of(order))["id"])).error_code == "PAYMENT_METHOD_MISSING"

    await until(salesforce_knows, "Salesforce knows what the order waits for")
    paused = await review.read((await shop.review_of(order))["id"])
    approved = replace(paused, activation_status="Activating", error_code="")
    assert not await review.apply(order.id, approved, asked_at=before)
    assert await shop.stage(order) == "needs_attention"
    # What was read later counts, and the pause that Salesforce still has says what it waits for.
    assert await review.apply(order.id, approved, asked_at=now())
    assert await review.apply(order.id, paused, asked_at=now())
    steps = [step for step, _ in await shop.timeline(order)]
    assert steps[-3:] == ["waiting_for_card", "approved#2", "waiting_for_card#2"]


async def test_order_that_agents_made_appears_with_its_lines_and_is_provisioned_when_approved(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    buyer = await shop.buyer()
    sf_order_id = await shop.order_at_salesforce(buyer, Order_Type__c="VPN")

    async def appears() -> bool:
        return bool(await shop.web.orders.orders_for(buyer.customer))

    await until(appears, "the agents' order appears")
    (order,) = await shop.web.orders.orders_for(buyer.customer)
    assert (order.stage, order.sf_order_id, [line.sku for line in order.lines]) == ("in_review", sf_order_id, [SKU])

    async def claimed() -> bool:
        return len(await shop.reviews_of(order)) == 1

    await until(claimed, "Salesforce knows our id")
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

    await until(appears, "the agents' order appears")
    (order,) = await shop.web.orders.orders_for(buyer.customer)
    assert await shop.reviews_of(order) == []
    await shop.all_well()

    async def claimed() -> bool:
        return len(await shop.reviews_of(order)) == 1

    await until(claimed, "Salesforce knows our id")


async def test_rejected_order_is_not_accepted_and_nothing_of_it_is_at_whmcs(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    ((buyer, order),) = await shop.reviewed_orders(1)
    await shop.reject(order)
    await shop.wait_for_stage(order, "not_accepted")
    assert await shop.mails_written(buyer.customer.user_id, "order_not_accepted") == 1
    assert await shop.orders_at_whmcs(buyer) == 0
