"""What the timetable asks for."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from portal_app.services.inbound.inbox import ALL_CHANGES
from portal_app.wiring.portal import portal
from portal_app.workflows.inbound_events import apply_to_orders, catch_up_checks, reconcile
from portal_app.workflows.step import durable, step

# Longer than the bus keeps events.
_WINDOW = timedelta(days=4)


@durable(name="tidy_up")
async def tidy_up() -> str:
    """Forget what has run out."""
    return (await step("tidy_up", lambda: portal().operations.cleanup.tidy_up()))["state"]


@durable(name="catch_up_orders")
async def catch_up_orders() -> str:
    """Compare unfinished orders with Salesforce: an event may have been lost."""
    found = await step("orders_behind", _orders_behind, priority="sync")
    return await apply_to_orders(found["value"] or [], "catch-up", priority="sync")


@durable(name="catch_up_address_checks")
async def catch_up_address_checks() -> str:
    """Compare address checks that wait for an answer with Salesforce: an event may have been lost."""
    return await catch_up_checks()


@durable(name="reconcile_all")
async def reconcile_all() -> str:
    """Compare everything that changed in the last days with Salesforce: whatever slipped through ends here."""
    since = await step("since", _days_ago)
    return await reconcile(ALL_CHANGES, str(since["value"]))


@durable(name="reconcile_billing")
async def reconcile_billing() -> str:
    """Compare the oldest saved invoices and services with WHMCS."""
    return (await step("reconcile_billing", lambda: portal().operations.mirror_refresh.run(), priority="sync"))["state"]


@durable(name="open_cases")
async def open_cases() -> str:
    """Ask agents to look into orders that stay where they are longer than they should."""
    found = await step("stuck_orders", _stuck_orders, priority="sync")
    for order_id in found["value"] or []:
        await step("open_case", partial(portal().provisioning.stuck.open_case, UUID(order_id)), priority="sync")
    return found["state"]


@durable(name="remind_of_invoices")
async def remind_of_invoices() -> str:
    """Announce invoices that are due soon or overdue."""
    return (await step("remind_of_invoices", lambda: portal().billing.reminders.invoices(), priority="sync"))["state"]


@durable(name="remind_of_cards")
async def remind_of_cards() -> str:
    """Announce cards that expire soon, of the customers whose day it is."""
    found = await step("customers_of_today", lambda: portal().billing.reminders.customers_of_today(), priority="sync")
    for user_id in found["value"] or []:
        await step("remind_of_cards", partial(portal().billing.reminders.cards, UUID(user_id)), priority="sync")
    return found["state"]


@durable(name="check_invariants")
async def check_invariants() -> str:
    """Look for what should never be, and tell it in figures and log lines."""
    return (await step("check_invariants", lambda: portal().operations.invariants.violations(), priority="sync"))[
        "state"
    ]


async def _stuck_orders() -> list[str]:
    return [str(order.id) for order in await portal().provisioning.stuck.found() if not order.has_case]


async def _orders_behind() -> list[str]:
    return await portal().inbound.reconcile.orders_behind(await portal().operations.cleanup.unfinished_orders())


async def _days_ago() -> str:
    return (datetime.now(UTC) - _WINDOW).isoformat()
