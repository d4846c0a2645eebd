"""The order that the current task works on: every log line names it, and durable work that it begins keeps it."""

from uuid import UUID

import structlog

_NAME = "order"


def current_order() -> str:
    """Return the order's id, empty where the work belongs to no order."""
    return str(structlog.contextvars.get_contextvars().get(_NAME, ""))


def set_current_order(order_id: UUID | str) -> None:
    """Name an order in every log line of the rest of this task; an empty id names none."""
    if order_id:
        structlog.contextvars.bind_contextvars(**{_NAME: str(order_id)})
    else:
        structlog.contextvars.unbind_contextvars(_NAME)
