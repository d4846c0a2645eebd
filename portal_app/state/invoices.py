"""The list of a customer's invoices, with what is due and overdue."""

from dataclasses import dataclass
from typing import ClassVar

import reflex as rx

from portal_app.domain.invoice import Invoice
from portal_app.domain.money import Money
from portal_app.language import _, path_for
from portal_app.language.format import day, today
from portal_app.state.page_state import PageState, opened, told
from portal_app.state.wording import invoice_standing
from portal_app.wiring import portal

FILTERS = ("all", "due", "paid")


@dataclass(frozen=True)
class InvoiceRow:
    """One invoice in a list."""

    label: str
    href: str
    issued: str
    due: str
    word: str
    tone: str
    total: str


class InvoicesPage(PageState, rx.State):
    """All invoices, newest first; the filter stands in the address."""

    topics: ClassVar[frozenset[str]] = frozenset({"billing", "orders", "account"})

    rows: list[InvoiceRow] = []
    filter: str = "all"
    due_total: str = ""
    due_words: str = ""
    has_any: bool = False

    @rx.event
    @opened
    async def load(self):
        """Read the invoices that the address asks for."""
        await self._read()

    @told
    async def refresh(self):
        """Read them anew after a live change."""
        await self._read()
        self.shown = True

    async def _read(self) -> None:
        asked = self._query("status")
        invoices = await portal().billing.invoices_for(await self._customer())
        self._note_saved(invoices.as_of)
        self.filter = asked if asked in FILTERS else "all"
        unpaid = [invoice for invoice in invoices.rows if invoice.status == "unpaid"]
        overdue = [invoice for invoice in unpaid if invoice.is_overdue(today())]
        self.due_total = str(_sum(unpaid))
        self.due_words = _due_words(unpaid, overdue)
        self.has_any = bool(invoices.rows)
        self.rows = [_row(invoice) for invoice in _newest_first(invoices.rows) if _is_asked(invoice, self.filter)]


def _sum(invoices: list[Invoice]) -> Money:
    return Money.total(invoice.total for invoice in invoices)


def _due_words(unpaid: list[Invoice], overdue: list[Invoice]) -> str:
    if not unpaid:
        return _("Nothing is due.")
    if len(overdue) == len(unpaid):
        return _("overdue")
    return _("due, {amount} of it overdue").format(amount=_sum(overdue)) if overdue else _("due")


def _newest_first(invoices: list[Invoice]) -> list[Invoice]:
    return sorted(invoices, key=lambda invoice: (str(invoice.issued_on or ""), invoice.id), reverse=True)


def _is_asked(invoice: Invoice, asked: str) -> bool:
    return asked == "all" or invoice.status == {"due": "unpaid", "paid": "paid"}[asked]


def _row(invoice: Invoice) -> InvoiceRow:
    standing = invoice_standing(invoice, today())
    return InvoiceRow(
        label=_("Invoice {number}").format(number=invoice.label),
        href=path_for(f"/billing/invoices/{invoice.id}"),
        issued=day(invoice.issued_on),
        due=day(invoice.due_on),
        word=standing.word,
        tone=standing.tone,
        total=str(invoice.total),
    )
