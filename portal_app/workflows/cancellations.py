"""Cancellations: held until their time has come, sent to WHMCS once, shown to agents whenever they move."""

from functools import partial
from uuid import UUID

from dbos import DBOS

from portal_app.infra.database.durable import WakeTopic
from portal_app.wiring.portal import portal
from portal_app.workflows.step import durable, scheduled, step


@durable(name="cancel_service")
async def cancel_service(cancellation_id: str) -> str:
    """Wait for the cut-off, then ask WHMCS to end the service; a withdrawn cancellation ends here."""
    request, sending = UUID(cancellation_id), portal().subscriptions.cancellation_delivery
    while (taken := await step("take", lambda: sending.claim(request)))["value"]:
        # Held: no connection, no thread. A message comes when the customer takes it back.
        await DBOS.recv_async(WakeTopic.CANCELLATION, timeout_seconds=taken["value"])
    if taken["state"] == "done" and taken["value"] is None:
        return "withdrawn"
    sent = taken if taken["state"] == "refused" else await step("request_cancellation", lambda: sending.send(request))
    while sent["code"] == "gave_up":
        # WHMCS is away for longer than a day: the customer's word stands all the same.
        sent = await step("request_cancellation", lambda: sending.send(request))
    if sent["state"] == "refused":
        await step("refuse", lambda: sending.refuse(request))
        return "refused"
    await step("note_sent", lambda: sending.note_sent(request))
    await _end_line(request)
    await _end_add_ons(request)
    return "sent"


async def _end_line(request: UUID) -> None:
    """Have the carrier end the service's line with it; where it refuses, people do."""
    lines = portal().sim.line_termination
    ordered = await step("end_line", lambda: lines.order(request))
    while ordered["code"] == "gave_up":
        ordered = await step("end_line", lambda: lines.order(request))
    if ordered["state"] == "refused":
        await step("ask_people", lambda: lines.ask_people(request))


async def _end_add_ons(request: UUID) -> None:
    """Have what hangs on a line end with it; what cannot, or may hang on another line, people look at.

    Behind all other steps: a cancellation that an older version began goes on here.
    """
    endings = portal().subscriptions.add_on_endings
    ordered = await step("end_add_ons", lambda: endings.order(request))
    while ordered["code"] == "gave_up":
        ordered = await step("end_add_ons", lambda: endings.order(request))
    left = ordered["value"] if ordered["state"] == "done" else [ordered["message"] or ordered["code"]]
    if left:
        await step("name_add_ons", lambda: endings.ask_people(request, left))


@durable(name="tell_cancellation")
async def tell_cancellation(cancellation_id: str) -> str:
    """Show agents where a cancellation stands; what moved meanwhile is shown too."""
    show = portal().subscriptions.cancellation_delivery.show_agents
    told = await step("show_agents", lambda: show(UUID(cancellation_id)))
    while told["state"] == "done" and not told["value"]:
        told = await step("show_agents", lambda: show(UUID(cancellation_id)))
    return told["state"]


@scheduled("end_cancellations")
async def end_cancellations() -> str:
    """Note which services are over, and tell their customers."""
    sending = portal().subscriptions.cancellation_delivery
    found = await step("ended", sending.ended)
    for cancellation_id in found["value"] or []:
        await step("end", partial(sending.end, UUID(cancellation_id)))
    return found["state"]
