"""Lines that nobody visits are read some times a day, where an operator wants it."""

from functools import partial
from uuid import UUID

from portal_app.wiring.portal import portal
from portal_app.workflows.step import scheduled, step


@scheduled("poll_usage")
async def poll_usage() -> str:
    """Read the next lines, one after the other: Freebit forbids reading many at once."""
    polling = portal().sim.polling
    due = await step("lines_to_poll", polling.due, priority="sync")
    for user_id, service_id in due["value"] or []:
        await step("poll_line", partial(polling.read, UUID(user_id), service_id), priority="sync")
    return due["state"]
