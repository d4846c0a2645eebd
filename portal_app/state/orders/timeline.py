"""An order's timeline in a customer's words: each step, who did it, whom it waits for, and what comes next."""

from dataclasses import dataclass

from portal_app.domain.orders.order import FINAL_STAGES, Order, OrderDetail, OrderEvent
from portal_app.domain.orders.steps import CASE_OPENED, expected_steps, is_pause, plain_step
from portal_app.language import _
from portal_app.language.format import time
from portal_app.state.orders.step_words import FAILED, PAUSES, STEPS, STORIES, WAITS, WHO, StepText


@dataclass(frozen=True)
class StepRow:
    """One step as the timeline shows it; `state` is done, now, next or stuck."""

    state: str
    title: str
    at: str = ""
    who: str = ""
    detail: str = ""


# These last until the next step begins; the others are done when they are recorded.
_LASTING = ("placed", "in_review", "scheduled")


def timeline_of(detail: OrderDetail) -> list[StepRow]:
    """Return what happened, what happens now and what comes, in this order."""
    is_over = detail.order.stage in FINAL_STAGES
    steps = [_done(event) for event in detail.events]
    last = last_step(detail)
    if last is not None and detail.order.stage == "needs_attention":
        steps[detail.events.index(last)] = _stopped(last, detail.order)
    elif last is not None and plain_step(last.step) in _LASTING and not is_over:
        steps[detail.events.index(last)] = _now(last, "now")
    has_now = any(step.state in ("now", "stuck") for step in steps)
    for place, step in enumerate([] if is_over else _coming(detail)):
        words = STEPS[step]
        if place == 0 and not has_now:
            steps.append(StepRow("now", _(words.title), at=_(WAITS[words.waits_for]), detail=_(words.meaning)))
        else:
            steps.append(StepRow("next", _(words.title)))
    return steps


def next_words(detail: OrderDetail) -> str:
    """Say in a sentence or two what happens next."""
    stage, last = detail.order.stage, last_step(detail)
    step = detail.order.waits_for if last and is_pause(last.step) else plain_step(last.step) if last else ""
    kind = STORIES.get(f"{stage}:{detail.order.category}", STORIES[stage])
    story = STORIES.get(f"{stage}:{step}", kind)
    case = next((event for event in detail.events if event.step == CASE_OPENED), None)
    if case is None or stage in FINAL_STAGES or (last and is_pause(last.step)):
        return _(story)
    late = _("This takes longer than it should. We asked our team on {time} to look into it; you need not write.")
    return f"{_(story)} {late.format(time=time(case.at))}"


def last_step(detail: OrderDetail) -> OrderEvent | None:
    """Return the last event that moved the order; a case opened about it does not count."""
    moves = [event for event in detail.events if event.step != CASE_OPENED]
    return moves[-1] if moves else None


def _coming(detail: OrderDetail) -> list[str]:
    done = {plain_step(event.step) for event in detail.events}
    return [step for step in expected_steps(detail.order.category) if step not in done]


def _now(event: OrderEvent, state: str) -> StepRow:
    words = _words(event.step)
    return StepRow(state, _(words.title), at=time(event.at), who=_(WAITS[words.waits_for]), detail=_(words.meaning))


def _stopped(event: OrderEvent, order: Order) -> StepRow:
    """Return the step at which an order stopped, with whom it waits for now."""
    words = PAUSES.get(order.waits_for) if is_pause(event.step) else None
    words = words or _words(event.step)
    state = "stuck" if order.is_customer_awaited else "now"
    return StepRow(state, _(words.title), at=time(event.at), who=_(WAITS[words.waits_for]), detail=_(words.meaning))


def _done(event: OrderEvent) -> StepRow:
    words = _words(event.step)
    detail = _(words.meaning) if event.step in ("not_accepted", CASE_OPENED) else ""
    return StepRow("done", _(words.title), at=time(event.at), who=_(WHO[event.source]), detail=detail)


def _words(step: str) -> StepText:
    return STEPS.get(plain_step(step), FAILED)
