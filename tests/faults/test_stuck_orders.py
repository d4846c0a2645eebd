"""A stuck order opens one case for agents, and its page says so."""

from datetime import timedelta
from uuid import uuid4

from portal_app.infra.settings import Settings
from portal_app.wiring.portal import Portal
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.processes import Processes


async def test_order_beyond_its_target_gets_one_case_and_its_page_says_so(
    driver: PortalDriver, worker_side: Portal
) -> None:
    buyer = await driver.buyer()
    order = await driver.place(buyer)
    stuck = worker_side.provisioning.stuck
    assert order.id not in {each.id for each in await stuck.found()}
    await driver.let_time_pass(order, timedelta(minutes=20))
    (found,) = [each for each in await stuck.found() if each.id == order.id]
    assert not found.has_case and "Salesforce has not taken the order" in found.why
    for _ in range(2):
        await stuck.open_case(order.id)
    assert len(await driver.cases_about(order)) == 1
    assert [step for step, _ in await driver.timeline(order)] == ["placed", "case_opened"]
    notices, _ = await driver.web.notifications.notices.latest(buyer.customer.user_id)
    assert [notice.kind for notice in notices] == ["order_stopped", "order_received"]


async def test_order_that_waits_for_its_customer_is_never_stuck(driver: PortalDriver, worker_side: Portal) -> None:
    order = await driver.place(await driver.buyer())
    await worker_side.provisioning.progress.advance(order.id, "waiting_for_card", stage="needs_attention")
    await driver.let_time_pass(order, timedelta(days=20))
    assert order.id not in {each.id for each in await worker_side.provisioning.stuck.found()}


async def test_a_customer_reads_only_their_own_notices_and_marks_only_them(driver: PortalDriver) -> None:
    buyer, stranger = await driver.buyer(), await driver.buyer()
    order = await driver.place(buyer)
    notices = driver.web.notifications.notices
    assert await notices.unread(buyer.customer.user_id) == 1
    assert await notices.latest(stranger.customer.user_id) == ([], False)
    await notices.mark_read(stranger.customer.user_id, "order_received", str(order.id))
    await notices.mark_read(stranger.customer.user_id)
    assert await notices.unread(buyer.customer.user_id) == 1
    await notices.mark_read(buyer.customer.user_id, "order_received", str(order.id))
    assert await notices.unread(buyer.customer.user_id) == 0


async def test_invariants_count_a_billing_order_of_ours_that_we_do_not_know(
    driver: PortalDriver, processes: Processes, settings: Settings, worker_side: Portal
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    ((buyer, order),) = await driver.reviewed_orders(1)
    await driver.approve(order)
    await driver.expect_all_active_once([(buyer, order)])
    await driver.web.subscriptions.services.subscriptions_for(buyer.customer)
    before = await worker_side.operations.invariants.violations()
    await driver.rows("UPDATE orders SET whmcs_order_id = NULL WHERE id = %s", order.id)
    after = await worker_side.operations.invariants.violations()
    assert after["unknown_billing_orders"] == before["unknown_billing_orders"] + 1
    assert set(after) == {
        "stuck_orders", "unknown_billing_orders", "mapping_orphans", "mirror_drift", "late_cancellations",
        "unapplied_events",
    }  # fmt: skip
    assert after["mapping_orphans"] == before["mapping_orphans"]
    services = await worker_side.vendors.subscriptions.subscriptions(buyer.customer.whmcs_client_id)
    assert await worker_side.operations.invariants._strange_services({buyer.customer.user_id: services}) == []
    # Somebody else's order is as strange as one that never was.
    named = {f"service-{one.id}" for one in services if one.reference}
    assert named and set(await worker_side.operations.invariants._strange_services({uuid4(): services})) == named
