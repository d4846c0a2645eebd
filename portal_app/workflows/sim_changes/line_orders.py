"""Changes of SIM lines that customers ask for: held or queued, sent to the carrier, watched, then billed.

Every state of a change leads on by itself or to our team.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

from dbos import DBOS

from portal_app.domain.sim_changes.line_order import ENDED, LineOrderState
from portal_app.infra.database.durable import WakeTopic
from portal_app.services.sim_changes.line_orders import workflow_of
from portal_app.wiring.portal import portal
from portal_app.workflows.step import durable, step

# States in which a moment is waited for: a withdrawal, or a clock that jumped, ends the wait.
_WAITING = frozenset({"queued", "held", "changing", "booked", "covered"})


@durable(name="change_line")
async def change_line(order_id: str) -> str:
    """Carry one change on from where it stands until it is over."""
    number, own = UUID(order_id), portal().line_orders
    begun = await step("begin", lambda: own.progress.state_of(number))
    state: LineOrderState = begun["value"]
    while state is not None and state not in ENDED:
        if state in _WAITING:
            wait = await step("seconds_to_wait", lambda: own.progress.seconds_to_wait(number))
            if wait["value"]:
                await DBOS.recv_async(WakeTopic.LINE_ORDER, timeout_seconds=wait["value"])
                looked = await step("look", lambda: own.progress.state_of(number))
                state = looked["value"] or state
                continue
        name, call = _work_of(state)
        came = await step(name, partial(call, number))
        if came["state"] == "done":
            state = came["value"]
        else:
            after = own.progress.after_refusal
            moved = await step("note_refusal", partial(after, number, state, came["code"]))
            state = moved["value"] or state
    return state or begun["state"]


async def wake_line_orders() -> None:
    """Have changes that wait for a moment look at the clock again."""
    found = await step("waiting_line_orders", lambda: portal().line_orders.progress.waiting())
    for order_id in found["value"] or []:
        await DBOS.send_async(workflow_of(UUID(order_id)), "clock moved", topic=WakeTopic.LINE_ORDER)


def _work_of(state: LineOrderState) -> tuple[str, Callable[[UUID], Awaitable[LineOrderState]]]:
    own = portal().line_orders
    steps: dict[str, tuple[str, Callable[[UUID], Awaitable[LineOrderState]]]] = {
        "queued": ("claim", own.progress.claim),
        "held": ("claim", own.progress.claim),
        "sending": ("send", own.carrier.send),
        "changing": ("watch", own.carrier.watch),
        "booked": ("watch_plan", own.carrier.watch_plan),
        "ordering": ("order_option", own.option_billing.order),
        "accepting": ("accept_option", own.option_billing.accept),
        "ending": ("end_option", own.option_billing.end),
        "covered": ("resume_billing", own.option_billing.resume),
        "rebilling": ("rebill", own.plan_billing.rebill),
        "correcting": ("correct_bill", own.plan_billing.correct),
        "asking": ("open_case", own.option_billing.open_case),
    }
    return steps[state]
