"""The part of a SIM service's page that changes the line: voice options, 4G or 5G, plan."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from portal_app.domain.errors import ExternalError, LineLocked, NotFound
from portal_app.domain.idempotency import (
    CHANGE_NETWORK,
    CHANGE_PLAN,
    SWITCH_VOICE_OPTION,
    WITHDRAW_LINE_ORDER,
    Call,
    Claim,
)
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.line_view import LineOverview, LineView
from portal_app.domain.sim_changes.voice_option import parse_network, parse_option
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.language import _
from portal_app.language.format import day, duration, time
from portal_app.state.catalog.prices import taxed, with_tax
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.page_state import PageState
from portal_app.state.shell.session import PageSession
from portal_app.state.sim.line_order_words import OPTION_NAMES, LineOrderStory, order_story
from portal_app.state.sim.line_rows import amount_words
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class OptionRow:
    """A voice option: whether it is on, its price, and the words of its button."""

    option: str
    name: str
    is_on: bool
    word: str
    price: str
    action: str
    warns: bool


class LineOrderPart(PageState, mixin=True):
    """Mix into the state of the page: it sets `_number`, the service, and calls `_show_line_orders`."""

    can_change_line: bool = False
    voice_options: list[OptionRow] = []
    network_now: str = ""
    network_next: str = ""
    network_note: str = ""
    plan_choices: list[list[str]] = []
    plan_choice: str = ""
    plan_now: str = ""
    plan_then: str = ""
    plan_note: str = ""
    line_orders: list[LineOrderStory] = []
    line_question: str = ""
    line_locked: str = ""
    _number: int = 0
    _line_prices: dict[str, int] = {}
    _plan_words: dict[str, str] = {}
    _line_key: str = ""
    _waiting_change: tuple[str, str] = ("", "")

    @handler
    async def switch_option(self, option: str):
        """Switch a voice option to what its button says."""
        await self._ask("option", str(parse_option(option)), when_free=False)

    @handler
    async def change_network(self):
        """Change to the other network."""
        await self._ask("network", self.network_next, when_free=False)

    @handler
    async def do_when_free(self):
        """Have the change that the line was locked for done as soon as the line is free."""
        kind, what = self._waiting_change
        await self._ask(kind, what, when_free=True)

    @handler
    async def choose_plan(self, sku: str):
        """Show the bill and the data of a plan."""
        if sku not in self._plan_words:
            raise NotFound("no plan of this line")
        self.plan_choice, self.plan_then = sku, self._plan_words[sku]

    @handler
    async def change_plan(self):
        """Change to the chosen plan from the 1st on; the proof of identity may be some hours old."""
        await self._require_recent_proof(seconds=portal().settings.portal_order_proof_seconds)
        sku, total, own = self.plan_choice, self._line_prices.get(self.plan_choice, 0), portal().line_orders.orders
        customer, recipient = await self._customer(), (await self.get_state(PageSession))._email
        service, _as_of = await portal().subscriptions.services.subscription_for(customer, self._number)

        async def ask(claim: Claim) -> str:
            return await own.change_plan(customer, service, sku, agreed=total, recipient=recipient, claim=claim)

        await self._carry_out(customer, CHANGE_PLAN, f"{sku}:{total}", ask)

    @handler
    async def withdraw_line_order(self, order_id: str):
        """Take a change back that was not sent yet."""
        known = next((each.id for each in self.line_orders if each.id == order_id and each.until), None)
        if known is None:
            raise NotFound("not to be withdrawn")
        customer, recipient = await self._customer(), (await self.get_state(PageSession))._email
        number, own = self._number, portal().line_orders.orders

        async def withdraw(claim: Claim) -> str:
            return await own.withdraw(customer, number, UUID(known), recipient=recipient, claim=claim)

        await self._carry_out(customer, WITHDRAW_LINE_ORDER, known, withdraw)

    async def _ask(self, kind: str, what: str, *, when_free: bool) -> None:
        if kind == "option":
            await self._require_recent_proof(seconds=portal().settings.portal_order_proof_seconds)
        customer, own = await self._customer(), portal().line_orders.orders
        service, _as_of = await portal().subscriptions.services.subscription_for(customer, self._number)
        is_on = not any(row.is_on for row in self.voice_options if row.option == what)
        agreed = self._line_prices.get(what, 0) if is_on else 0

        async def ask(claim: Claim) -> str:
            if kind == "network":
                network = parse_network(what)
                return await own.change_network(customer, service, network, when_free=when_free, claim=claim)
            return await own.switch_voice(
                customer, service, parse_option(what), is_on=is_on, agreed=agreed, when_free=when_free, claim=claim
            )

        operation = CHANGE_NETWORK if kind == "network" else SWITCH_VOICE_OPTION
        try:
            await self._carry_out(customer, operation, f"{what}:{is_on}:{agreed}:{when_free}", ask)
        except LineLocked as locked:
            # The page asks whether to wait for it.
            self._waiting_change, self.line_question = (kind, what), uuid4().hex
            self.line_locked = _(locked.user_message)

    async def _carry_out(self, customer: Customer, operation: str, content: str, ask: Any) -> None:
        call = Call(customer.user_id, operation, self._line_key, f"{self._number}:{content}")
        self._line_key, self.line_question = uuid4().hex, ""
        try:
            await portal().idempotency.once_shared(call, ask, status=201)
        finally:
            await self._read_page()

    async def _show_line_orders(
        self, customer: Customer, service: Subscription, overview: LineOverview | None, *, is_ending: bool
    ) -> None:
        """Set what the page shows of changes; a service without a linked line has none."""
        line, own = overview.line if overview else None, portal().line_orders.orders
        self._line_key = self._line_key or uuid4().hex
        if line is None:
            self.can_change_line, self.line_orders = False, []
            return
        orders = await own.of_service(customer, service.id)
        newest = {order.kind: order for order in reversed(orders)}
        self.line_orders = [order_story(each) for each in orders if each in newest.values()]
        self.can_change_line = line.snapshot.state == "active" and line.snapshot.ends_on is None and not is_ending
        busy = {"plan" if each.kind == "plan" else "line" for each in orders if not each.is_over}
        await self._show_offers(service, line, busy=busy)

    async def _show_offers(self, service: Subscription, line: LineView, *, busy: set[str]) -> None:
        """Set what can be chosen; what a change under way excludes, and what is not sold, is left out."""
        self.voice_options, self.plan_choices, self._line_prices = [], [], {}
        is_free = self.can_change_line and "line" not in busy
        self.network_now = line.snapshot.network or ""
        self.network_next = ({"4G": "5G", "5G": "4G"}.get(self.network_now, "")) if is_free else ""
        wait = duration(portal().settings.freebit_lock_seconds)
        note = _("The carrier needs about {wait}. Until then the line is locked for other changes.")
        self.network_note = note.format(wait=wait)
        try:
            if is_free:
                await self._show_options(service, line)
            if self.can_change_line and "plan" not in busy:
                await self._show_plans(service)
        except (ExternalError, NotFound):
            # Without the catalogue nothing can be offered; a data line has no voice options.
            return

    async def _show_options(self, service: Subscription, line: LineView) -> None:
        offers = portal().line_orders.orders.offers
        if not await offers.has_voice(service.product_id):
            return
        for option, offer in (await offers.voice(service.product_id)).items():
            is_on = line.snapshot.voice.get(option)
            if is_on is None:
                continue
            name, price = _(OPTION_NAMES[option]), taxed(offer.price)
            action = _("Switch {option} off") if is_on else _("Switch {option} on for {total} a month with tax")
            self._line_prices[option] = price.minor
            self.voice_options.append(
                OptionRow(
                    option,
                    name,
                    is_on=is_on,
                    word=_("On") if is_on else _("Off"),
                    price=_("{total} a month").format(total=with_tax(offer.price)),
                    action=action.format(option=name, total=price),
                    warns=offer.warns and not is_on,
                )
            )

    async def _show_plans(self, service: Subscription) -> None:
        own = portal().line_orders.orders
        present, others = await own.offers.plans(service.product_id)
        if present is None or not others:
            return
        schedule = own.plan_schedule()
        words = _("{total} a month with tax, {amount} of data")
        self.plan_now = words.format(total=taxed(service.recurring), amount=amount_words(present.data_mb))
        self._plan_words = {
            each.sku: words.format(total=taxed(each.price), amount=amount_words(each.data_mb)) for each in others
        }
        self._line_prices |= {each.sku: taxed(each.price).minor for each in others}
        self.plan_choices = [[each.sku, each.name] for each in others]
        if self.plan_choice not in self._plan_words:
            self.plan_choice = others[0].sku
        self.plan_then = self._plan_words[self.plan_choice]
        note = _(
            "Your new plan begins on {day} and is billed from the next invoice after that on. Until {at} you can "
            "withdraw it."
        )
        self.plan_note = note.format(day=day(schedule.effective_on), at=time(schedule.sends_at))
