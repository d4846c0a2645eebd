"""SIM lines: set aside, opened by the carrier in its own time, and written where they belong."""

from uuid import UUID

from dbos import DBOS

from portal_app.domain.ports.billing import BillingOrder
from portal_app.infra.clock import now
from portal_app.wiring.portal import portal
from portal_app.workflows.step import DONE, Outcome, refused, step


async def reserve_line(order: UUID) -> Outcome:
    """Set a SIM aside; refused as "scheduled", with the seconds to wait, before the day the order is for."""

    async def reserve() -> float:
        opens_at = await portal().provisioning.sims.reserve(order)
        return max(0.0, (opens_at - now()).total_seconds()) if opens_at else 0.0

    reserved = await step("reserve_sim", reserve)
    if reserved["state"] == "done" and reserved["value"] > 0:
        await step("wait_for_day", lambda: portal().provisioning.sims.wait_for_day(order))
        return Outcome(state="refused", value=reserved["value"], code="scheduled", message="")
    return reserved


async def open_line(order: UUID) -> Outcome:
    """Order the line and its voice options, and wait, durably, until the carrier has opened it."""
    sims = portal().provisioning.sims
    for name, call in (("open_line", sims.open), ("register_voice", sims.register_voice)):
        ordered = await step(name, lambda call=call: call(order))
        if ordered["state"] == "refused":
            return ordered
    is_switched = False
    while True:
        looked = await step("look_at_line", lambda: sims.poll(order))
        if looked["state"] == "refused" or looked["value"] == "open":
            return looked
        if looked["value"] == "late":
            return refused("LINE_LATE", "The carrier has not opened the line in time. Approve again to go on waiting.")
        if looked["value"] == "switch" and not is_switched:
            switched = await step("switch_voice", lambda: sims.switch_voice(order))
            if switched["state"] == "refused":
                return switched
            is_switched = True
        await DBOS.sleep_async(portal().settings.freebit_poll_seconds)


async def finish_line(order: UUID, billed: BillingOrder) -> Outcome:
    """Write the line's numbers to its WHMCS service: the first one of the order."""
    if not billed.service_ids:
        return DONE
    return await step("record_line", lambda: portal().provisioning.sims.record(order, billed.service_ids[0]))
