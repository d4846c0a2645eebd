"""The status of an order, in a customer's words."""

from portal_app.domain.orders.order import Order, OrderStage
from portal_app.language import _
from portal_app.state.shell.standing import StatusLabel

_STAGE_TONES: dict[OrderStage, str] = {
    "received": "waiting",
    "in_review": "waiting",
    "being_set_up": "waiting",
    "needs_attention": "waiting",
    "active": "ok",
    "not_accepted": "problem",
    "cancelled": "neutral",
    "in_progress": "waiting",
}


def order_standing(order: Order) -> StatusLabel:
    """Return the status of an order: only what waits for the customer asks for attention."""
    return StatusLabel(_(order.stage_text), "attention" if order.is_customer_awaited else _STAGE_TONES[order.stage])
