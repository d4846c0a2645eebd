"""What the timetable asks for."""

from portal_app.domain.events import InboundEvent
from portal_app.wiring import portal
from portal_app.workflows.events import apply_to_orders
from portal_app.workflows.step import durable, step


@durable(name="tidy_up")
async def tidy_up() -> str:
    """Forget what has run out."""
    return (await step("tidy_up", lambda: portal().upkeep.tidy_up()))["state"]


@durable(name="catch_up_orders")
async def catch_up_orders() -> str:
    """Read the review of unfinished orders again: an event may have been lost."""
    found = await step("unfinished_orders", lambda: portal().upkeep.unfinished_orders())
    event = InboundEvent("salesforce", "catch-up", "Order", {"order_ids": found["value"] or []})
    return await apply_to_orders(event)
