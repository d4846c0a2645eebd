"""Top-ups that nobody presses for: WHMCS's nightly run after a decline, and data that are bought by themselves.

No worker runs beside the first test: it takes each step itself.
"""

import asyncio
from uuid import UUID

from portal_app.domain.sim.auto_top_up import AutoWish
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.infra.clock import now
from portal_app.infra.settings import Settings
from portal_app.models.sim_line import SimLineRow
from portal_app.services.sim_alerts.line_watches import LineWatches
from portal_app.wiring.portal import Portal, build
from tests.support.clients.line_owners import PAID, LineOwner, Trail, line_owners, state_of, top_up, trail_of, trails
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.processes import Processes
from tests.support.waiting import until

DECLINED = {"special": {"capture_declined": 1}}


async def test_no_night_charges_for_a_decline_and_a_new_key_tries_again(
    driver: PortalDriver, worker_side: Portal, settings: Settings
) -> None:
    # Due at once: WHMCS charges what is unpaid in each night that follows.
    own = build(settings.model_copy(update={"portal_top_up_due_days": 0}), role="worker")
    left, kept = await line_owners(driver, worker_side, 2)
    try:
        declined = []
        for owner in (left, kept):
            await driver.set_faults("whmcs", **DECLINED)
            declined.append(await top_up(driver, owner, key=f"first-key-{owner.service_id}"))
            payment = own.sim.top_up_payment
            for step in (payment.check, payment.invoice, payment.compare, payment.capture):
                await step(declined[-1])
            assert await state_of(driver, declined[-1]) == "confirm declined"
        await driver.rows("UPDATE top_ups SET confirm_until = now() WHERE id = %s", declined[0])
        assert [await payment.read_payment(declined[0]), await payment.cancel_invoice(declined[0])] == [
            "stopping", "stopped",
        ]  # fmt: skip
        again = await top_up(driver, left, key=f"first-key-{left.service_id}")
        assert again == declined[0], "the same key is the same purchase"
        second = await top_up(driver, left, key=f"second-key-{left.service_id}")
        for step in (payment.check, payment.invoice, payment.compare, payment.capture, payment.read_payment):
            await step(second)
        assert await own.sim.top_up_delivery.add_data(second) == "done"
        await driver.pass_time(seconds=86400)
        # The night charges the one that is still unpaid, so it did pass; what was cancelled stays so.
        assert await trails(driver, [declined[0], second]) == [Trail(["Cancelled"], 0, []), PAID]
        assert await trail_of(driver, declined[1]) == Trail(["Paid"], 1, [])
        assert await payment.read_payment(declined[1]) == "paid"
        assert await own.sim.top_up_delivery.add_data(declined[1]) == "done"
        assert await trail_of(driver, declined[1]) == PAID
    finally:
        await driver.pass_time(seconds=-86400)
        await own.close()


async def read_low(worker_side: Portal, owner: LineOwner) -> None:
    """Store a visit's reading of little data left, and have the line looked at, as the page does."""
    async with worker_side.database.unit_of_work() as session:
        line = await session.get(SimLineRow, owner.service_id, with_for_update=True)
        assert line is not None
        line.body = LineSnapshot(state="active", left_mb=500, today_bytes=0, top_ups=(), told_at=now()).to_json()
        await LineWatches(worker_side.queue).note(session, [owner.service_id])


async def purchases(driver: PortalDriver, owner: LineOwner) -> list[tuple[UUID, str]]:
    """Return what was bought by itself for a line, with its state and reason."""
    statement = "SELECT id, trim(state || ' ' || reason) FROM top_ups WHERE service_id = %s AND is_automatic ORDER BY 1"
    return [(row[0], row[1]) for row in await driver.rows(statement, owner.service_id)]


async def wait_for_one(driver: PortalDriver, owner: LineOwner, *states: str) -> UUID:
    """Wait until the only automatic purchase of a line stands so, and return it."""

    async def there() -> bool:
        return [state for _, state in await purchases(driver, owner)] in [[state] for state in states]

    await until(there, " or ".join(states))
    return (await purchases(driver, owner))[0][0]


async def test_data_are_bought_once_by_themselves_told_and_off_after_one_decline(
    driver: PortalDriver, worker_side: Portal, processes: Processes, settings: Settings
) -> None:
    wish = AutoWish(gigabytes=2, threshold_mb=1024, cap=5500, agreed=1100)
    good, bad = await line_owners(driver, worker_side, 2)
    for owner in (good, bad):
        await driver.web.sim.auto_top_ups.turn_on(owner.buyer.customer, owner.service_id, wish)
    processes.start_all("worker", "worker", settings=settings)
    # Two readings at the same time, through two workers.
    await asyncio.gather(*(read_low(worker_side, good) for _ in range(2)))
    bought = await wait_for_one(driver, good, "done")
    assert await trail_of(driver, bought) == PAID
    await driver.set_faults("whmcs", **DECLINED)
    await read_low(worker_side, bad)
    declined = await wait_for_one(driver, bad, "confirm declined")

    async def is_off() -> bool:
        statement = "SELECT is_on, off_reason FROM auto_top_ups WHERE service_id = %s"
        return await driver.rows(statement, bad.service_id) == [(False, "declined")]

    await until(is_off, "off after the decline")
    await driver.rows("UPDATE top_ups SET confirm_until = now() WHERE id = %s", declined)
    await wait_for_one(driver, bad, "stopped declined")
    await read_low(worker_side, bad)
    mails = "SELECT occasion FROM mails WHERE user_id = %s AND occasion LIKE 'auto_top_up%%'"
    assert await driver.rows(mails, good.buyer.customer.user_id) == [("auto_top_up_done",)]
    assert await driver.rows(mails, bad.buyer.customer.user_id) == [("auto_top_up_off",)]
    assert await trails(driver, [bought, declined]) == [PAID, Trail(["Cancelled"], 0, [])]
    assert len(await purchases(driver, bad)) == 1
