"""The list of a customer's invoices, with what is due and overdue."""

from dataclasses import dataclass
from typing import ClassVar

import reflex as rx

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.billing.invoice_list import InvoiceFilter, InvoiceQuery, InvoiceSort, Owed
from portal_app.infra.clock import today
from portal_app.language import _, path_for
from portal_app.language.format import day
from portal_app.state.billing.standing import invoice_standing
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.list_state import LONGEST_SEARCH, ListState
from portal_app.wiring.portal import portal

_FILTERS: dict[str, InvoiceFilter] = {"due": "due", "overdue": "overdue", "paid": "paid"}
# The values of `sort` in the address.
_SORTS: dict[str, tuple[InvoiceSort, bool]] = {
    "newest": ("issued", True),
    "oldest": ("issued", False),
    "due": ("due", False),
    "largest": ("total", True),
    "smallest": ("total", False),
}
_PER_PAGE = 20


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


class InvoicesPage(ListState, rx.State):
    """One page of invoices; filter, search, order and page are in the address."""

    topics: ClassVar[frozenset[str]] = frozenset({"billing", "orders", "account"})
    route: ClassVar[str] = "/billing/invoices"
    filters: ClassVar[tuple[str, ...]] = ("all", *_FILTERS)
    usual_sort: ClassVar[str] = "newest"

    rows: list[InvoiceRow] = []
    due_total: str = ""
    due_words: str = ""

    @handler
    async def download_csv(self):
        """Download all invoices after a recent proof of identity."""
        await self._require_recent_proof()
        return rx.download(url="/api/invoices.csv")

    async def _read_page(self) -> None:
        query = self._query_of_address()
        found = await portal().billing.invoices.invoices_for(await self._customer(), query)
        listing = found.listing
        self._note_saved(found.as_of)
        self.due_total, self.due_words = str(listing.owed.due), _due_words(listing.owed)
        self.has_any = listing.count > 0
        self.rows = [invoice_row(invoice) for invoice in listing.rows]
        self._set_page_links(query.page, listing.total, per_page=_PER_PAGE)

    def _query_of_address(self) -> InvoiceQuery:
        asked, sort, page = self._query("status"), self._query("sort"), self._query("page")
        self.filter, self.sort = asked if asked in _FILTERS else "all", sort if sort in _SORTS else self.usual_sort
        self.search = self._query("q")[:LONGEST_SEARCH]
        column, descending = _SORTS[self.sort]
        number = int(page) if page.isascii() and page.isdecimal() and 0 < len(page) <= 4 else 1
        return InvoiceQuery(
            _FILTERS.get(self.filter), self.search, column, descending=descending, page=max(number, 1), limit=_PER_PAGE
        )


def _due_words(owed: Owed) -> str:
    if not owed.due_count:
        return _("Nothing is due.")
    if owed.overdue_count == owed.due_count:
        return _("overdue")
    return _("due, {amount} of it overdue").format(amount=owed.overdue) if owed.overdue_count else _("due")


def invoice_row(invoice: Invoice) -> InvoiceRow:
    """Return an invoice as a list shows it."""
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
