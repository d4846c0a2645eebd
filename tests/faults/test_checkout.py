"""Fault case one: however often and however many at once press, it is one order everywhere."""

import asyncio
from uuid import uuid4

from portal_app.domain.checkout.request import Agreement
from portal_app.infra.settings import Settings
from tests.support.clients.placing import place_draft
from tests.support.clients.portal_driver import SKU, PortalDriver
from tests.support.running.processes import Processes


async def test_fifty_checkouts_at_once_with_one_key_are_one_order_at_every_vendor(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("worker", settings=settings)
    buyer, key = await driver.buyer(), uuid4().hex
    orders = await asyncio.gather(*(driver.place(buyer, key=key) for _ in range(50)))
    assert len({order.id for order in orders}) == 1
    await driver.wait_for_stage(orders[0], "in_review")
    assert len(await driver.reviews_of(orders[0])) == 1
    assert await driver.value("SELECT count(*) FROM orders WHERE user_id = %s", buyer.customer.user_id) == 1
    assert await driver.mails_written(buyer.customer.user_id, "order_received") == 1


async def test_two_keys_for_one_draft_are_one_order_at_every_vendor(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("worker", settings=settings)
    buyer = await driver.buyer()
    draft = await driver.web.drafts.begin(buyer.customer, SKU)

    async def press(key: str) -> str:
        placed = await place_draft(
            driver.web, buyer.customer, draft.id, agreed=Agreement(True), key=key, recipient=buyer.email
        )
        return str(placed.id)

    ids = await asyncio.gather(*(press(f"device-{number}-{uuid4().hex}") for number in range(10)))
    assert len(set(ids)) == 1
    (order,) = await driver.web.orders.orders_for(buyer.customer)
    await driver.wait_for_stage(order, "in_review")
    assert len(await driver.reviews_of(order)) == 1
