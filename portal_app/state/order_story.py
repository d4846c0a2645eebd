"""An order's timeline in a customer's words: each step, who did it, and what comes next."""

from dataclasses import dataclass

from portal_app.domain.order import FINAL_STAGES, OrderDetail, OrderEvent
from portal_app.language import _
from portal_app.language.format import time


@dataclass(frozen=True)
class StepRow:
    """One step as the timeline shows it; `state` is done, now, next or stuck."""

    state: str
    title: str
    at: str = ""
    who: str = ""
    detail: str = ""


# The way of an order that goes well, with what each step means while it is the one under way.
_WAY = {
    "placed": ("Placed", "We have your order and are passing it to our team."),
    "in_review": ("In review", "Our team checks the order. Nothing is charged meanwhile."),
    "approved": ("Approved", "Our team approved the order."),
    "billing_created": ("Billing created", "Your first invoice is being made."),
    "service_set_up": ("Service set up", "Your service is being switched on."),
    "active": ("Active", "The last records are being written."),
}
_LASTING = ("placed", "in_review")
_TURNS = {
    "waiting_for_card": ("Waiting for a payment method", "The order stopped here because no card or bank was stored."),
    "not_accepted": ("Not accepted", "Our team could not accept this order. Nothing was charged."),
    "cancelled": ("Cancelled", "The order was cancelled."),
    "needs_attention": ("Needs attention", "Something stopped the order. Our team is looking into it."),
}
_FAILED = ("Stopped for a check", "A step did not go through. Our team is looking into it; you need not order again.")
_WHO = {"you": "you", "staff": "our team", "system": "automatic"}
_STORIES = {
    "received": "Your order is safe with us. It goes to our team for review by itself, and this page shows each step.",
    "in_review": "Our team looks at the order next, usually within a working day. You need not do anything.",
    "being_set_up": "The order is approved. Billing and service are being set up now; this takes a minute or two.",
    "active": "Your service is working. Its invoice is under Billing.",
    "not_accepted": "Our team could not accept this order. Nothing was charged. Write to us if you want to know more.",
    "cancelled": "This order was cancelled. Nothing more happens with it.",
    "in_progress": "The order is in progress. This page changes by itself.",
}
_CARD_STORY = "Add a card and our team continues with the order. You need not order again."
_ATTENTION_STORY = "Something stopped the order and our team is looking into it. You need not order again."


def timeline_of(detail: OrderDetail) -> list[StepRow]:
    """Return what happened, what happens now and what comes, in this order."""
    is_stuck, is_over = detail.order.stage == "needs_attention", detail.order.stage in FINAL_STAGES
    steps = [_done(event) for event in detail.events]
    if is_stuck and steps:
        last = detail.events[-1]
        steps[-1] = StepRow("stuck", _words(last.step)[0], at=time(last.at), detail=_words(last.step)[1])
    elif detail.events and detail.events[-1].step in _LASTING and not is_over:
        # These two go on until the next step; the others are done the moment they are noted.
        last = detail.events[-1]
        steps[-1] = StepRow("now", _words(last.step)[0], at=time(last.at), detail=_words(last.step)[1])
    has_now = bool(steps) and steps[-1].state in ("now", "stuck")
    coming = [] if is_over else [step for step in _WAY if step not in {event.step for event in detail.events}]
    for place, step in enumerate(coming):
        state = "now" if place == 0 and not has_now else "next"
        steps.append(StepRow(state, _words(step)[0], detail=_words(step)[1] if state == "now" else ""))
    return steps


def next_words(detail: OrderDetail) -> str:
    """Say in a sentence or two what happens next."""
    if detail.order.stage == "needs_attention":
        waits = bool(detail.events) and detail.events[-1].step == "waiting_for_card"
        return _(_CARD_STORY if waits else _ATTENTION_STORY)
    return _(_STORIES[detail.order.stage])


def _done(event: OrderEvent) -> StepRow:
    title, meaning = _words(event.step)
    detail = meaning if event.step == "not_accepted" else ""
    return StepRow("done", title, at=time(event.at), who=_(_WHO[event.source]), detail=detail)


def _words(step: str) -> tuple[str, str]:
    title, meaning = _WAY.get(step) or _TURNS.get(step) or _FAILED
    return _(title), _(meaning)
