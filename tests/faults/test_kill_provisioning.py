"""The worker is killed at and within every step of provisioning: each order ends active, billed once."""

import asyncio

from portal_app.domain.order import Order
from portal_app.infra.settings import Settings
from tests.faults.boundary import Boundaries
from tests.faults.processes import Processes
from tests.faults.shop import Buyer, Shop, provision_of

STEPS = (
    "check_approval",
    "check_payment_method",
    "place_billing_order",
    "accept_billing_order",
    "record_in_salesforce",
    "announce_active",
)


async def reviewed_orders(shop: Shop, count: int) -> list[tuple[Buyer, Order]]:
    """Return orders of a customer each, waiting for review; a worker must run."""
    buyers = await asyncio.gather(*(shop.buyer() for _ in range(count)))
    orders = await asyncio.gather(*(shop.place(buyer) for buyer in buyers))
    await shop.wait_for_stages(orders, "in_review")
    return list(zip(buyers, orders, strict=True))


async def test_order_is_billed_once_when_worker_is_killed_right_after_any_step(
    shop: Shop, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    started = [processes.start(role, settings) for role in ("listener", "worker", "worker")]
    for process in started:
        process.wait_until_ready()
    bought = await reviewed_orders(shop, len(STEPS))
    for (_, order), step in zip(bought, STEPS, strict=True):
        await shop.approve(order)
        slot = await boundaries.recorded(provision_of(order), step)
        processes.of_slot(slot).kill()
        processes.start("worker", settings).wait_until_ready()
    await shop.wait_for_stages([order for _, order in bought], "active")
    for buyer, order in bought:
        await shop.expect_active_once(buyer, order)
        assert await shop.orders_at_whmcs(buyer) == 1


async def test_order_is_billed_once_when_worker_is_killed_between_any_effect_and_its_record(
    shop: Shop, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    listener, worker = (processes.start(role, settings) for role in ("listener", "worker"))
    listener.wait_until_ready()
    worker.wait_until_ready()
    bought = await reviewed_orders(shop, len(STEPS))
    for (_, order), step in zip(bought, STEPS, strict=True):
        await boundaries.hold(provision_of(order), step)
        await shop.approve(order)
    await boundaries.wait_for_held(len(STEPS))
    worker.kill()
    await boundaries.let_go()
    processes.start("worker", settings).wait_until_ready()
    await shop.wait_for_stages([order for _, order in bought], "active")
    for buyer, order in bought:
        await shop.expect_active_once(buyer, order)
        assert await shop.orders_at_whmcs(buyer) == 1
