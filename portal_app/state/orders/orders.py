"""The list of a customer's orders."""

from dataclasses import dataclass
from typing import ClassVar

import reflex as rx

from portal_app.domain.orders.order import Order
from portal_app.language import path_for
from portal_app.language.format import time
from portal_app.state.catalog.prices import taxed
from portal_app.state.orders.standing import order_standing
from portal_app.state.shell.page_state import PageState
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class OrderListRow:
    """One order in a list; amounts with tax."""

    title: str
    href: str
    placed: str
    word: str
    tone: str
    monthly: str


def order_row(order: Order) -> OrderListRow:
    """Return an order as lists show it."""
    standing = order_standing(order)
    return OrderListRow(
        title=order.title,
        href=path_for(f"/orders/{order.id}"),
        placed=time(order.placed_at),
        word=standing.word,
        tone=standing.tone,
        monthly=str(taxed(order.monthly)),
    )


class OrdersPage(PageState, rx.State):
    """All orders, newest first."""

    topics: ClassVar[frozenset[str]] = frozenset({"orders", "account"})

    rows: list[OrderListRow] = []

    async def _read_page(self) -> None:
        self.rows = [order_row(order) for order in await portal().orders.orders_for(await self._customer())]
