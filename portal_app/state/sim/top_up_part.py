"""The part of a SIM service's page that sells data: the amount, the price, and what became of the last purchase."""

from uuid import uuid4

import reflex as rx

from portal_app.domain.errors import Conflict
from portal_app.domain.idempotency import ORDER_TOP_UP, Call, Claim
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.line_view import LineOverview
from portal_app.domain.sim.top_up import LEAST_GB, MOST_GB, parse_gigabytes
from portal_app.language import _
from portal_app.language.format import time
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.page_state import PageState
from portal_app.state.sim.line_rows import Fact
from portal_app.state.sim.top_up_words import TopUpStory, top_up_story, top_up_title
from portal_app.wiring.portal import portal


class TopUpPart(PageState, mixin=True):
    """Mix into the state of the page: it sets `_number`, the service, and calls `_show_top_ups`."""

    can_top_up: bool = False
    top_up_amounts: list[list[str]] = []
    top_up_choice: str = str(LEAST_GB)
    top_up_button: str = ""
    top_up_note: str = ""
    top_up: TopUpStory = TopUpStory()
    top_up_history: list[Fact] = []
    _number: int = 0
    _top_up_total: int = 0
    _top_up_key: str = ""
    _top_up_id: str = ""
    _top_up_invoice: int = 0

    @handler
    async def choose_amount(self, gigabytes: str):
        """Show the price of an amount."""
        self.top_up_choice = str(parse_gigabytes(gigabytes))
        self._show_price()

    @handler
    async def buy_data(self):
        """Buy the amount at the price on the button, once for however many presses."""
        customer, number = await self._customer(), self._number
        gigabytes, total, own = parse_gigabytes(self.top_up_choice), self._top_up_total, portal().sim.top_ups
        call = Call(customer.user_id, ORDER_TOP_UP, self._top_up_key, f"{number}:{gigabytes}:{total}")

        async def order(claim: Claim) -> str:
            return await own.order(customer, number, gigabytes, agreed=total, claim=claim)

        try:
            self._top_up_id = await portal().idempotency.once_shared(call, order, status=201)
        finally:
            await self._read_page()

    @handler
    async def pay_top_up(self):
        """Open the declined purchase's invoice at WHMCS, after a recent proof of identity."""
        await self._require_recent_proof()
        if not (self.top_up.can_pay and self._top_up_invoice):
            raise Conflict("not to be paid")
        return rx.redirect(await portal().billing.invoices.pay_link(await self._customer(), self._top_up_invoice))

    async def _show_top_ups(self, customer: Customer, overview: LineOverview | None, *, is_ending: bool) -> None:
        """Set what the page shows of purchases; a service without a linked line sells none."""
        line = overview.line if overview else None
        if line is None:
            self.can_top_up, self.top_up, self.top_up_history = False, TopUpStory(), []
            return
        orders = await portal().sim.top_ups.of_service(customer, self._number)
        newest = orders[0] if orders else None
        is_active = line.snapshot.state == "active" and line.snapshot.ends_on is None and not is_ending
        self.can_top_up = is_active and all(each.is_over for each in orders)
        self.top_up, self._top_up_invoice = top_up_story(newest), (newest.invoice_id or 0) if newest else 0
        self.top_up_history = [Fact(time(each.asked_at), top_up_title(each)) for each in orders[1:]]
        if not self._top_up_key or (newest and newest.is_over and str(newest.id) == self._top_up_id):
            # A key stays until its purchase is over: pressed again, the button buys nothing more.
            self._top_up_key, self._top_up_id = uuid4().hex, ""
        self.top_up_amounts = [[str(each), f"{each} GB"] for each in range(LEAST_GB, MOST_GB + 1)]
        self._show_price()

    def _show_price(self) -> None:
        gigabytes, prices = parse_gigabytes(self.top_up_choice), portal().sim.top_ups.prices
        total = prices.total(gigabytes)
        self._top_up_total = total.minor
        words = _("Add {gigabytes} GB for {total} with tax")
        self.top_up_button = words.format(gigabytes=gigabytes, total=total)
        note = _("{amount} without tax. Your stored card is charged at once.")
        self.top_up_note = note.format(amount=prices.per_gigabyte * gigabytes)
