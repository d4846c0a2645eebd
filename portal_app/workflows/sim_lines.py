"""SIM lines of services: linked, compared every night, their changes looked at when due, and data bought for them.

Every state of a purchase leads on by itself or to our team.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from dbos import DBOS

from portal_app.domain.sim.top_up import ENDED, TopUpState
from portal_app.infra.database.durable import WakeTopic
from portal_app.wiring.portal import portal
from portal_app.workflows.step import durable, scheduled, step

# Waiting for a customer at WHMCS's page, an event tells of the payment at once; asking is for lost events.
_CONFIRM_POLLS, _UNCLEAR_SECONDS = 4, timedelta(hours=1).total_seconds()
# Events of WHMCS after which an invoice's payment is looked at.
PAYMENT_EVENTS = frozenset({"InvoicePaid", "AddInvoicePayment", "InvoiceCancelled", "InvoiceRefunded"})


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


@durable(name="watch_lines")
async def watch_lines(service_ids: str) -> str:
    """Look at lines of which something new is known: tell of alerts that fire, buy what customers chose."""
    ids = [int(each) for each in service_ids.split(",")]
    alerts, choices = portal().sim.alerts, portal().sim.auto_top_ups
    judged = await step("judge_alerts", lambda: alerts.judge(ids), priority="sync")
    while (await step("tell_alerts", lambda: alerts.tell(ids), priority="sync"))["value"]:
        pass
    on = await step("auto_top_ups", lambda: choices.on_of(ids), priority="sync")
    for service_id in on["value"] or []:
        await step("start_auto_top_up", partial(choices.start, service_id), priority="sync")
    return judged["state"]


@durable(name="top_up")
async def top_up(top_up_id: str) -> str:
    """Carry one purchase on from where it stands until it is over."""
    number = UUID(top_up_id)
    begun = await step("begin", lambda: portal().sim.top_up_progress.state_of(number))
    state: TopUpState = begun["value"]
    name = ""
    while state is not None and state not in ENDED:
        if name == "read_payment":
            await _wait_in(state)
        name, call = _work_of(state)
        came = await step(name, partial(call, number))
        if came["state"] == "done":
            state = came["value"]
        else:
            after = portal().sim.top_up_progress.after_refusal
            moved = await step("note_refusal", partial(after, number, state, came["code"]))
            state = moved["value"] or state
    return state or begun["state"]


async def wake_top_ups(invoice_ids: Sequence[int]) -> None:
    """Have the purchases that an event's invoices bill look at their payment."""
    await step("wake_top_ups", lambda: portal().sim.top_up_progress.wake(invoice_ids))


async def _wait_in(state: TopUpState) -> None:
    """Wait, durably, where only somebody else's doing leads on; an event of the invoice ends the wait."""
    poll = portal().settings.portal_top_up_poll_seconds
    seconds = {"charging": poll, "confirm": poll * _CONFIRM_POLLS, "unclear": _UNCLEAR_SECONDS}.get(state)
    if seconds is not None:
        await DBOS.recv_async(WakeTopic.TOP_UP, timeout_seconds=seconds)


def _work_of(state: TopUpState) -> tuple[str, Callable[[UUID], Awaitable[TopUpState]]]:
    payment, delivery = portal().sim.top_up_payment, portal().sim.top_up_delivery
    steps: dict[str, tuple[str, Callable[[UUID], Awaitable[TopUpState]]]] = {
        "asked": ("check", payment.check),
        "checked": ("invoice", payment.invoice),
        "invoiced": ("compare", payment.compare),
        "compared": ("capture", payment.capture),
        "charging": ("read_payment", payment.read_payment),
        "confirm": ("read_payment", payment.read_payment),
        "late": ("read_payment", payment.read_payment),
        "unclear": ("read_payment", payment.read_payment),
        "stopping": ("cancel_invoice", payment.cancel_invoice),
        "asking": ("open_case", delivery.open_case),
        "paid": ("add_data", delivery.add_data),
        "owed": ("open_case", delivery.open_case),
    }
    return steps[state]
