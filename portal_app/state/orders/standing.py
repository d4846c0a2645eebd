"""The status of an order, in a customer's words."""

from portal_app.domain.orders.order import STAGE_WORDS, OrderStage
from portal_app.language import _
from portal_app.state.shell.standing import StatusLabel

_STAGE_TONES: dict[OrderStage, str] = {
    "received": "waiting",
    "in_review": "waiting",
    "being_set_up": "waiting",
    "needs_attention": "attention",
    "active": "ok",
    "not_accepted": "problem",
    "cancelled": "neutral",
    "in_progress": "waiting",
}


def order_standing(stage: OrderStage) -> StatusLabel:
    """Return the status of an order."""
    return StatusLabel(_(STAGE_WORDS[stage]), _STAGE_TONES[stage])
