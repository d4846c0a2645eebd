"""The list of a customer's invoices, with what is due and overdue."""

from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

import reflex as rx

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.billing.invoice_list import InvoiceFilter, InvoiceQuery, InvoiceSort, Owed
from portal_app.infra.clock import today
from portal_app.language import _, path_for
from portal_app.language.format import day
from portal_app.state.billing.standing import invoice_standing
from portal_app.state.shell.error_reporting import language_of, report_errors
from portal_app.state.shell.page_state import PageState
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
_ROUTE, _PER_PAGE, _LONGEST = "/billing/invoices", 20, 100


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
    """One page of invoices; filter, search, order and page are in the address."""

    topics: ClassVar[frozenset[str]] = frozenset({"billing", "orders", "account"})

    rows: list[InvoiceRow] = []
    filter: str = "all"
    search: str = ""
    sort: str = "newest"
    due_total: str = ""
    due_words: str = ""
    has_any: bool = False
    found_words: str = ""
    before: str = ""
    after: str = ""
    hrefs: dict[str, str] = {}

    @rx.event
    @report_errors
    async def look_for(self, form: dict[str, Any]):
        """Go to the address of a search."""
        self.search, self.sort = str(form.get("q", ""))[:_LONGEST], str(form.get("sort", ""))
        return rx.redirect(self._address(status=self.filter, page=1))

    @rx.event
    @report_errors
    async def download_csv(self):
        """Download all invoices after a recent proof of identity."""
        await self._require_recent_proof()
        return rx.download(url="/api/invoices.csv")

    async def _read_page(self) -> None:
        """Read the invoices that the address asks for."""
        query = self._query_of_address()
        found = await portal().billing.invoices.invoices_for(await self._customer(), query)
        listing = found.listing
        self._note_saved(found.as_of)
        self.due_total, self.due_words = str(listing.owed.due), _due_words(listing.owed)
        self.has_any = listing.count > 0
        self.rows = [invoice_row(invoice) for invoice in listing.rows]
        self._set_page_links(query.page, listing.total)

    def _query_of_address(self) -> InvoiceQuery:
        asked, sort, page = self._query("status"), self._query("sort"), self._query("page")
        self.filter, self.sort = asked if asked in _FILTERS else "all", sort if sort in _SORTS else "newest"
        self.search = self._query("q")[:_LONGEST]
        column, descending = _SORTS[self.sort]
        number = int(page) if page.isascii() and page.isdecimal() and 0 < len(page) <= 4 else 1
        return InvoiceQuery(
            _FILTERS.get(self.filter), self.search, column, descending=descending, page=max(number, 1), limit=_PER_PAGE
        )

    def _set_page_links(self, page: int, total: int) -> None:
        first, last = (page - 1) * _PER_PAGE + 1, min(page * _PER_PAGE, total)
        words = _("{first} to {last} of {total}") if first <= last else _("{total} in all")
        self.found_words = words.format(first=first, last=last, total=total) if total > _PER_PAGE else ""
        self.before = self._address(status=self.filter, page=page - 1) if page > 1 else ""
        self.after = self._address(status=self.filter, page=page + 1) if last < total else ""
        self.hrefs = {kind: self._address(status=kind, page=1) for kind in ("all", *_FILTERS)}

    def _address(self, *, status: str, page: int) -> str:
        asked = {"status": status, "q": self.search.strip(), "sort": self.sort, "page": str(page)}
        usual = {"status": "all", "q": "", "sort": "newest", "page": "1"}
        query = urlencode({name: value for name, value in asked.items() if value != usual[name]})
        return path_for(_ROUTE, language_of(self)) + (f"?{query}" if query else "")


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
