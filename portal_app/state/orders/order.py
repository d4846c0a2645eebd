"""One order: its timeline, what happens next, and its prices."""

from typing import ClassVar

import reflex as rx

from portal_app.domain.identifiers import our_id
from portal_app.domain.orders.order import Order
from portal_app.language.format import time
from portal_app.state.billing.payment_methods import add_card_link
from portal_app.state.catalog.prices import LineRow, line_row, taxed, with_tax
from portal_app.state.orders.standing import order_standing
from portal_app.state.orders.timeline import StepRow, next_words, timeline_of
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.page_state import PageState
from portal_app.wiring.portal import portal


class OrderPage(PageState, rx.State):
    """An order with its timeline."""

    topics: ClassVar[frozenset[str]] = frozenset({"orders", "billing", "account"})

    title: str = ""
    placed: str = ""
    word: str = ""
    tone: str = "neutral"
    story: str = ""
    waits_for: str = ""
    is_active: bool = False
    steps: list[StepRow] = []
    lines: list[LineRow] = []
    monthly: str = ""
    monthly_with_tax: str = ""
    once: str = ""
    once_with_tax: str = ""
    has_once: bool = False
    support: str = ""

    @handler
    async def add_card(self):
        """Open the payment methods at WHMCS after a recent proof of identity; the way back leads to this order."""
        await self._require_recent_proof()
        return rx.redirect(await add_card_link(await self._customer(), self.router.url.path))

    async def _read_page(self) -> None:
        order_id = our_id(self._last_part())
        detail = await portal().orders.order_for(await self._customer(), order_id)
        order, standing = detail.order, order_standing(detail.order)
        self.title, self.placed = order.title, time(order.placed_at)
        self.word, self.tone = standing.word, standing.tone
        self.steps, self.story = timeline_of(detail), next_words(detail)
        self.waits_for = order.waits_for
        self.is_active = order.stage == "active"
        self.support = portal().settings.portal_support_email
        self._price(order)

    def _price(self, order: Order) -> None:
        self.lines = [line_row(line) for line in order.lines]
        self.monthly, self.monthly_with_tax = str(taxed(order.monthly)), with_tax(order.monthly)
        self.once, self.once_with_tax = str(taxed(order.one_time)), with_tax(order.one_time)
        self.has_once = order.one_time.minor > 0
