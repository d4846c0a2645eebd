"""The stored cards and banks of a customer, their payments, refunds and credit."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import reflex as rx

from portal_app.domain.billing.invoice import CreditEntry, PaymentMethod, Transaction
from portal_app.domain.errors import ExternalError, NotFound
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import today
from portal_app.language import _, path_for
from portal_app.language.format import day, listed, time
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.page_state import PageState
from portal_app.state.shell.question import new_question
from portal_app.wiring.portal import portal

Value = TypeVar("Value")
_MOST_MOVES = 50


@dataclass(frozen=True)
class MethodRow:
    """One stored card or bank; `warning` where it has expired or soon will."""

    id: int
    name: str
    note: str
    expires: str
    warning: str = ""
    tone: str = "neutral"
    is_default: bool = False


@dataclass(frozen=True)
class MoveRow:
    """A payment, refund or credit entry, and the invoice it was for."""

    at: str
    what: str
    href: str
    amount: str


def method_row(method: PaymentMethod) -> MethodRow:
    """Return a card or bank as pages show it, never more of its number than the last four digits."""
    words = {"card": _("Card ending in {digits}"), "bank": _("Bank account ending in {digits}")}[method.kind]
    name = words.format(digits=method.last_four) if method.last_four else method.description
    note = method.description if method.description != name else ""
    warning, tone = _warning(method)
    return MethodRow(method.id, name, note, method.expires, warning, tone, bool(method.is_default))


async def methods_of(customer: Customer, *, is_fresh: bool) -> list[PaymentMethod]:
    """Return the stored methods, past the cache if `is_fresh` or if none is cached: one may just have been added."""
    payments = portal().billing.payment_methods
    methods = [] if is_fresh else await payments.payment_methods_for(customer)
    if not methods:
        await payments.invalidate_methods(customer)
        methods = await payments.payment_methods_for(customer)
    return methods


async def add_card_link(customer: Customer, back: str) -> str:
    """Return a link to the payment methods at WHMCS; `back` is the path of ours to come back to."""
    payments = portal().billing.payment_methods
    return await payments.add_card_link(customer, back_to=portal().settings.portal_url + back)


class PaymentMethodsPage(PageState, rx.State):
    """Cards and banks as WHMCS has them. Unknown credit is an empty text, unknown payments have no rows."""

    topics: ClassVar[frozenset[str]] = frozenset({"billing", "account"})

    rows: list[MethodRow] = []
    path: str = ""
    gateways: str = ""
    moves: list[MoveRow] = []
    moves_known: bool = False
    credit: str = ""
    credit_rows: list[MoveRow] = []
    chosen_name: str = ""
    question: str = ""
    _chosen: int = 0

    async def _open_page(self) -> None:
        """Read the stored methods, past the cache for a customer who comes back from adding one."""
        await self._read_methods(is_fresh=self._query("back") == "1")

    @handler
    async def make_default(self, method_id: int):
        """Make a method the default after a recent proof of identity."""
        row = self._row(method_id)
        await self._require_recent_proof()
        await portal().billing.payment_methods.make_default(await self._customer(), row.id)
        await self._read_page()

    @handler
    async def add_card(self):
        """Open the payment methods at WHMCS after a recent proof of identity; the way back leads to this page."""
        await self._require_recent_proof()
        return rx.redirect(await add_card_link(await self._customer(), self.path))

    @handler
    async def choose(self, method_id: int):
        """Ask for confirmation before a method is removed."""
        row = self._row(method_id)
        self._chosen, self.chosen_name = row.id, row.name
        self.question = new_question()

    @handler
    async def remove(self):
        """Delete the chosen method after a recent proof of identity."""
        await self._require_recent_proof()
        chosen, self._chosen = self._row(self._chosen), 0
        customer = await self._customer()
        # Where somebody removed it elsewhere, the list shows so.
        with suppress(NotFound):
            await portal().billing.payment_methods.remove(customer, chosen.id)
        await self._read_page()

    def _row(self, method_id: object) -> MethodRow:
        """Return a row of this page. Raises NotFound for any other id."""
        for row in self.rows:
            if row.id == method_id and isinstance(method_id, int):
                return row
        raise NotFound("no method of this page")

    async def _read_page(self) -> None:
        await self._read_methods(is_fresh=False)

    async def _read_methods(self, *, is_fresh: bool) -> None:
        self.path = f"{self.router.url.path}?back=1"
        customer, payments = await self._customer(), portal().billing.payment_methods
        methods, gateways, moves, credit = await asyncio.gather(
            methods_of(customer, is_fresh=is_fresh),
            _or_none(payments.gateways()),
            _or_none(payments.transactions_for(customer)),
            _or_none(payments.credit_for(customer)),
        )
        self.rows = [method_row(method) for method in methods]
        self.gateways = listed(gateway.title for gateway in gateways or ())
        self.moves_known = moves is not None
        self.moves = [_move(entry) for entry in (moves or [])[:_MOST_MOVES]]
        self.credit = str(credit.balance) if credit else ""
        self.credit_rows = [_credit(entry) for entry in (credit.entries if credit else [])[:_MOST_MOVES]]


async def _or_none(reading: Awaitable[Value]) -> Value | None:
    try:
        return await reading
    except ExternalError:
        return None


def _warning(method: PaymentMethod) -> tuple[str, str]:
    if method.is_expired(today()):
        return _("Expired"), "problem"
    return (_("Expires soon"), "attention") if method.expires_soon(today()) else ("", "neutral")


def _move(entry: Transaction) -> MoveRow:
    what = _("Refund") if entry.amount.minor < 0 else _("Payment")
    href = path_for(f"/billing/invoices/{entry.invoice_id}") if entry.invoice_id else ""
    return MoveRow(time(entry.at) if entry.at else "–", what, href, str(entry.amount))


def _credit(entry: CreditEntry) -> MoveRow:
    href = path_for(f"/billing/invoices/{entry.invoice_id}") if entry.invoice_id else ""
    return MoveRow(day(entry.on), entry.description, href, str(entry.amount))
