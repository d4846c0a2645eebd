"""How the API shows orders and their events."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal_app.api.http.money import Amount
from portal_app.api.http.resource import Resource


@dataclass
class OrderLineView(Resource):
    """One thing ordered, with its price without tax."""

    sku: str
    name: str
    cycle: str
    price: Amount


@dataclass
class OrderView(Resource):
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


@dataclass
class OrderList(Resource):
    """All orders, newest first."""

    items: list[OrderView]


@dataclass
class OrderEventView(Resource):
    """One entry of a timeline."""

    step: str
    at: datetime
    source: str
    detail: str


@dataclass
class OrderWithEvents(OrderView):
    """An order with its timeline, oldest entry first."""

    events: list[OrderEventView]
