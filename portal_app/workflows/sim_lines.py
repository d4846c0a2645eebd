"""SIM lines of services: linked, compared every night, and their changes looked at when they should be done."""

from functools import partial
from uuid import UUID

from portal_app.wiring.portal import portal
from portal_app.workflows.step import durable, scheduled, step


@durable(name="link_line")
async def link_line(user_id: str, service_id: int) -> str:
    """Find the line of a service; where none is accepted, agents get one case."""
    links, user = portal().sim.links, UUID(user_id)
    refused = await step("link_line", lambda: links.link(user, service_id), priority="sync")
    if refused["state"] == "done" and refused["value"]:
        reason = refused["value"]
        await step("open_line_case", lambda: links.open_case(user, service_id, reason), priority="sync")
    return refused["state"]


@scheduled("reconcile_lines")
async def reconcile_lines() -> str:
    """Compare the next lines with their services, and look again at SIM services without a line."""
    reconcile, links = portal().sim.reconcile, portal().sim.links
    due = await step("lines_to_compare", reconcile.due, priority="sync")
    for service_id in due["value"] or []:
        found = await step("compare_line", partial(reconcile.compare, service_id), priority="sync")
        if found["value"]:
            await step("open_line_case", partial(reconcile.open_case, service_id, found["value"]), priority="sync")
    for user_id, service_id in (await step("unlinked_services", reconcile.unlinked, priority="sync"))["value"] or []:
        refused = await step("link_line", partial(links.link, UUID(user_id), service_id), priority="sync")
        if refused["state"] == "done" and refused["value"]:
            case = partial(links.open_case, UUID(user_id), service_id, refused["value"])
            await step("open_line_case", case, priority="sync")
    return due["state"]


@scheduled("settle_line_changes")
async def settle_line_changes() -> str:
    """Look at changes of lines whose longest time has passed: carried out, or not and their customer is told."""
    changes = portal().sim.changes
    found = await step("overdue_changes", changes.overdue, priority="sync")
    for service_id in found["value"] or []:
        await step("settle_change", partial(changes.settle, service_id), priority="sync")
    return found["state"]
