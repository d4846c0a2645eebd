"""The long kill loop: orders go through while workers and the listener are killed at random and vendors are flaky.

Prints what was ordered, what came of it at every vendor, and what was lost or doubled; ends with 1 if anything was.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.soak_counts import Counts, count
from benchmarks.soak_trouble import Trouble
from portal_app.domain.errors import ExternalError
from portal_app.domain.order import Order
from portal_app.wiring import build
from tests.faults.processes import Processes
from tests.faults.shop import Buyer, Shop
from tests.world import world

# Long enough for the timetable to find what a listener without a position missed: every five minutes, after two.
DRAIN_SECONDS = 480.0


def main() -> int:
    """Run and return 1 when anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="how long the trouble lasts")
    parser.add_argument("--orders", type=int, default=100)
    parser.add_argument("--flaky", type=float, default=0.1, help="share of vendor calls that fail")
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    random.seed(told.seed)
    counts = asyncio.run(soak(minutes=told.minutes, orders=told.orders, flaky=told.flaky))
    sys.stdout.write(counts.table())
    return 0 if counts.is_clean() else 1


async def soak(*, minutes: float, orders: int, flaky: float) -> Counts:
    """Place, approve and kill for so long, then let all come to rest and count."""
    settings = world().settings_with(portal_poll_seconds=0.1, whmcs_settle_seconds=2.0, whmcs_timeout=5.0)
    web, worker = build(settings, role="web"), build(settings, role="worker")
    shop = Shop(web, worker, world().office, world().postgres.url())
    with tempfile.TemporaryDirectory(prefix="portal-soak-") as home:
        processes = Processes(Path(home))
        try:
            buyers = [await shop.buyer() for _ in range(max(1, orders // 5))]
            processes.start_all("listener", "worker", "worker", settings=settings)
            trouble = Trouble(shop, processes, settings, flaky=flaky)
            ends = time.monotonic() + minutes * 60
            running = asyncio.create_task(trouble.make(ends))
            bought = await _order_all(shop, buyers, orders, ends)
            await running
            seconds = await _come_to_rest(shop, bought)
            return await count(shop, bought, kills=trouble.kills, drain_seconds=seconds)
        finally:
            processes.kill_all()
            await shop.close()
            await web.close()
            await worker.close()


async def _order_all(shop: Shop, buyers: list[Buyer], orders: int, ends: float) -> list[tuple[Buyer, Order]]:
    """Spread the orders over four fifths of the time, approving what waits for review all along."""
    bought: list[tuple[Buyer, Order]] = []
    began = time.monotonic()
    pause = (ends - began) * 0.8 / orders
    while time.monotonic() < ends:
        due = min(orders, int((time.monotonic() - began) / pause) + 1)
        for number in range(len(bought), due):
            buyer = buyers[number % len(buyers)]
            bought.append((buyer, await _place(shop, buyer, f"soak-order-{number}")))
        await _approve_waiting(shop)
        await asyncio.sleep(0.5)
    return bought


async def _place(shop: Shop, buyer: Buyer, key: str) -> Order:
    """Press the button until it works, as a person does: the same checkout, the same key."""
    while True:
        try:
            return await shop.place(buyer, key=key)
        except ExternalError:
            await asyncio.sleep(0.5)


async def _approve_waiting(shop: Shop) -> None:
    for row in (await shop.office.get("/orders")).json():
        waits = row["status"] == "Pending Review" and row["activation_status"] not in ("Activating", "Activated")
        if waits and row["portal_order_id"]:
            await shop.office.post(f"/orders/{row['id']}/approve")


async def _come_to_rest(shop: Shop, bought: list[tuple[Buyer, Order]]) -> float:
    """Wait until every order is active and every mail sent, or time is up; return how long it took."""
    began = time.monotonic()
    while time.monotonic() < began + DRAIN_SECONDS:
        await _approve_waiting(shop)
        open_orders = await shop.value(
            "SELECT count(*) FROM orders WHERE id = ANY(%s) AND stage <> 'active'", [order.id for _, order in bought]
        )
        unsent = await shop.value("SELECT count(*) FROM mails WHERE sent_at IS NULL")
        if not open_orders and not unsent:
            break
        await asyncio.sleep(0.5)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
