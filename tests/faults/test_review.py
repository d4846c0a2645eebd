"""What the agent decides, and an approval that finds no card."""

from dataclasses import replace

from portal_app.infra.clock import now
from portal_app.infra.settings import Settings
from portal_app.wiring.portal import Portal
from tests.support.clients.portal_driver import SKU, PortalDriver
from tests.support.running.processes import Processes
from tests.support.waiting import until


async def test_order_without_card_is_paused_and_goes_on_by_itself_when_one_is_added(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    bought = await driver.reviewed_orders(1)
    ((buyer, order),) = bought
    await driver.remove_cards(buyer)
    await driver.approve(order)
    await driver.wait_for_stage(order, "needs_attention")

    async def salesforce_says_why() -> bool:
        review = await driver.review_of(order)
        return (review["activation_status"], review["error"]) == ("Failed", "The customer has no payment method.")

    await until(salesforce_says_why, "Salesforce says why the order failed")
    assert await driver.mails_written(buyer.customer.user_id, "order_needs_card") == 1
    assert await driver.orders_at_whmcs(buyer) == 0
    await driver.add_card(buyer)
    await driver.expect_all_active_once(bought)
    assert await driver.mails_written(buyer.customer.user_id, "order_needs_card") == 1
    review = await driver.review_of(order)
    assert review["error"] == ""


async def test_an_old_reading_does_not_move_a_paused_order_back_and_a_pause_keeps_its_name(
    driver: PortalDriver, processes: Processes, settings: Settings, worker_side: Portal
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    ((buyer, order),) = await driver.reviewed_orders(1)
    await driver.remove_cards(buyer)
    before = now()
    await driver.approve(order)
    await driver.wait_for_stage(order, "needs_attention")
    review = worker_side.provisioning.review

    async def salesforce_knows() -> bool:
        return (await review.read((await driver.review_of(order))["id"])).error_code == "PAYMENT_METHOD_MISSING"

    await until(salesforce_knows, "Salesforce knows what the order waits for")
    paused = await review.read((await driver.review_of(order))["id"])
    approved = replace(paused, activation_status="Activating", error_code="")
    assert not await review.apply(order.id, approved, asked_at=before)
    assert await driver.stage(order) == "needs_attention"
    # What was read later counts, and the pause that Salesforce still has says what it waits for.
    assert await review.apply(order.id, approved, asked_at=now())
    assert await review.apply(order.id, paused, asked_at=now())
    steps = [step for step, _ in await driver.timeline(order)]
    assert steps[-3:] == ["waiting_for_card", "approved#2", "waiting_for_card#2"]


async def test_order_that_agents_made_appears_with_its_lines_and_is_provisioned_when_approved(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    buyer = await driver.buyer()
    sf_order_id = await driver.order_at_salesforce(buyer, Order_Type__c="VPN")
    await until(lambda: driver.web.orders.orders_for(buyer.customer), "the agents' order appears")
    (order,) = await driver.web.orders.orders_for(buyer.customer)
    assert (order.stage, order.sf_order_id, [line.sku for line in order.lines]) == ("in_review", sf_order_id, [SKU])

    async def claimed() -> bool:
        return len(await driver.reviews_of(order)) == 1

    await until(claimed, "Salesforce knows our id")
    await driver.approve(order)
    await driver.expect_all_active_once([(buyer, order)])
    assert ("placed", "staff") in await driver.timeline(order)


async def test_salesforce_learns_our_id_of_an_order_of_agents_when_it_is_away_at_first(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    buyer = await driver.buyer()
    await driver.set_faults("salesforce", down=True, operations=["update:Order"])
    await driver.order_at_salesforce(buyer, Order_Type__c="VPN")
    await until(lambda: driver.web.orders.orders_for(buyer.customer), "the agents' order appears")
    (order,) = await driver.web.orders.orders_for(buyer.customer)
    assert await driver.reviews_of(order) == []
    await driver.all_well()

    async def claimed() -> bool:
        return len(await driver.reviews_of(order)) == 1

    await until(claimed, "Salesforce knows our id")


async def test_rejected_order_is_not_accepted_and_nothing_of_it_is_at_whmcs(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    ((buyer, order),) = await driver.reviewed_orders(1)
    await driver.reject(order)
    await driver.wait_for_stage(order, "not_accepted")
    assert await driver.mails_written(buyer.customer.user_id, "order_not_accepted") == 1
    assert await driver.orders_at_whmcs(buyer) == 0
