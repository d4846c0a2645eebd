"""Top-ups: checked, billed, charged once, delivered once; every state leads on by itself or to our team."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from dbos import DBOS

from portal_app.domain.sim.top_up import ENDED, TopUpState
from portal_app.infra.database.durable import WakeTopic
from portal_app.wiring.portal import portal
from portal_app.workflows.step import durable, step

# Waiting for a customer at WHMCS's page, an event tells of the payment at once; asking is for lost events.
_CONFIRM_POLLS, _UNCLEAR_SECONDS = 4, timedelta(hours=1).total_seconds()
# Events of WHMCS after which an invoice's payment is looked at.
PAYMENT_EVENTS = frozenset({"InvoicePaid", "AddInvoicePayment", "InvoiceCancelled", "InvoiceRefunded"})


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
