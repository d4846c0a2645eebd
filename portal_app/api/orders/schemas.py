"""How the API shows orders and their events."""

from datetime import datetime
from uuid import UUID

from typing_extensions import TypedDict

from portal_app.api.http.money import Amount, amount
from portal_app.domain.orders.order import STAGE_WORDS, Order, OrderEvent


class OrderLineView(TypedDict):
    """One thing ordered, with its price without tax."""

    sku: str
    name: str
    cycle: str
    price: Amount


class OrderView(TypedDict):
    """An order and where it stands."""

    id: UUID
    title: str
    category: str
    stage: str
    stage_text: str
    placed_at: datetime
    monthly: Amount
    one_time: Amount
    lines: list[OrderLineView]


class OrderList(TypedDict):
    """All orders, newest first."""

    items: list[OrderView]


class OrderEventView(TypedDict):
    """One entry of a timeline."""

    step: str
    at: datetime
    source: str
    detail: str


class OrderWithEvents(OrderView):
    """An order with its timeline, oldest entry first."""

    events: list[OrderEventView]


def order(placed: Order) -> OrderView:
    """Show an order."""
    return {
        "id": placed.id,
        "title": placed.title,
        "category": placed.category,
        "stage": placed.stage,
        "stage_text": STAGE_WORDS[placed.stage],
        "placed_at": placed.placed_at,
        "monthly": amount(placed.monthly),
        "one_time": amount(placed.one_time),
        "lines": [
            {"sku": line.sku, "name": line.name, "cycle": line.cycle, "price": amount(line.price)}
            for line in placed.lines
        ],
    }


def order_with_events(placed: Order, events: tuple[OrderEvent, ...]) -> OrderWithEvents:
    """Show an order with its timeline."""
    return {**order(placed), "events": [_event(event) for event in events]}


def _event(event: OrderEvent) -> OrderEventView:
    return {"step": event.step, "at": event.at, "source": event.source, "detail": event.detail}
