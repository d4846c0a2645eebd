"""The workflows of the schedule."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from dbos import DBOS

from portal_app.infra.clock import now, timestamp
from portal_app.infra.database.durable import WakeTopic
from portal_app.services.inbound.inbox import ALL_CHANGES
from portal_app.services.subscriptions.cancellations import workflow_of
from portal_app.wiring.portal import portal
from portal_app.workflows.inbound_events import apply_to_orders, catch_up_checks, reconcile
from portal_app.workflows.orders import provision_id
from portal_app.workflows.sim_changes.line_orders import wake_line_orders
from portal_app.workflows.step import durable, scheduled, step

# Longer than the bus keeps events.
_WINDOW = timedelta(days=4)
_CATCH_UP_SECONDS = 300


@scheduled("tidy_up")
async def tidy_up() -> str:
    """Delete what has expired."""
    return (await step("tidy_up", lambda: portal().operations.cleanup.delete_expired()))["state"]


@scheduled("catch_up_orders")
async def catch_up_orders() -> str:
    """Compare unfinished orders with Salesforce: an event may have been lost."""
    found = await step("orders_behind", _orders_behind, priority="sync")
    return await apply_to_orders(found["value"] or [], "catch-up", priority="sync")


@scheduled("catch_up_address_checks")
async def catch_up_address_checks() -> str:
    """Compare address checks that wait for an answer with Salesforce: an event may have been lost."""
    return await catch_up_checks()


@scheduled("reconcile_all")
async def reconcile_all() -> str:
    """Compare everything that changed in the last days with Salesforce: whatever slipped through ends here."""
    since = await step("since", _days_ago)
    return await reconcile(ALL_CHANGES, str(since["value"]))


@scheduled("reconcile_billing")
async def reconcile_billing() -> str:
    """Compare the oldest saved invoices and services with WHMCS."""
    return (await step("reconcile_billing", lambda: portal().operations.mirror_refresh.run(), priority="sync"))["state"]


@scheduled("open_cases")
async def open_cases() -> str:
    """Open a case for each order that is in its stage longer than the stage's target."""
    found = await step("stuck_orders", _stuck_orders, priority="sync")
    for order_id in found["value"] or []:
        await step("open_case", partial(portal().provisioning.stuck.open_case, UUID(order_id)), priority="sync")
    return found["state"]


@scheduled("remind_of_invoices")
async def remind_of_invoices() -> str:
    """Announce invoices that are due soon or overdue."""
    return (await step("remind_of_invoices", lambda: portal().billing.reminders.invoices(), priority="sync"))["state"]


@scheduled("remind_of_cards")
async def remind_of_cards() -> str:
    """Announce cards that expire soon, of the customers whose day it is."""
    found = await step("customers_of_today", lambda: portal().billing.reminders.customers_of_today(), priority="sync")
    for user_id in found["value"] or []:
        await step("remind_of_cards", partial(portal().billing.reminders.cards, UUID(user_id)), priority="sync")
    return found["state"]


@scheduled("check_invariants")
async def check_invariants() -> str:
    """Check the invariants; figures and log lines show what is broken."""
    return (await step("check_invariants", lambda: portal().operations.invariants.violations(), priority="sync"))[
        "state"
    ]


@durable(name="clock_moved")
async def clock_moved() -> str:
    """Wake what waits for a moment, after the clock jumped: the wait was measured before."""
    found = await step("waiting_cancellations", lambda: portal().subscriptions.cancellation_delivery.held())
    for cancellation_id in found["value"] or []:
        await DBOS.send_async(workflow_of(UUID(cancellation_id)), "clock moved", topic=WakeTopic.CANCELLATION)
    waiting = await step("orders_for_a_day", lambda: portal().provisioning.review.waiting_for_day())
    for order_id, attempt in waiting["value"] or []:
        await DBOS.send_async(provision_id(order_id, attempt), "clock moved", topic=WakeTopic.ORDER)
    await wake_line_orders()
    return waiting["state"]


async def _stuck_orders() -> list[str]:
    return [str(order.id) for order in await portal().provisioning.stuck.found() if not order.has_case]


async def _orders_behind() -> list[str]:
    # The turn follows the clock, one for each run of the schedule: no process has to remember it.
    turn = int(timestamp() // _CATCH_UP_SECONDS)
    unfinished = await portal().operations.cleanup.unfinished_orders(turn)
    return await portal().inbound.reconcile.orders_behind(unfinished)


async def _days_ago() -> str:
    return (now() - _WINDOW).isoformat()
