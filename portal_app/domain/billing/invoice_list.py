"""Asking for some of a customer's invoices, and what comes back."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.money import Money

# The statuses of invoices, and two ways of being unpaid.
InvoiceFilter = Literal[
    "draft", "unpaid", "paid", "cancelled", "refunded", "collections", "payment_pending", "unknown", "due", "overdue"
]
InvoiceSort = Literal["issued", "due", "total", "number"]


@dataclass(frozen=True, slots=True)
class InvoiceQuery:
    """Which invoices, in which order. Pages count from 1; `search` looks in numbers and whole amounts.

    "due" are the unpaid ones, "overdue" those of them past their day; without a status all are meant.
    """

    status: InvoiceFilter | None = None
    search: str = ""
    sort: InvoiceSort = "issued"
    descending: bool = True
    page: int = 1
    limit: int = 20

    @property
    def key(self) -> str:
        """A text that is the same for the same question."""
        return repr((self.status, self.search.strip(), self.sort, self.descending, self.page, self.limit))


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed in all: how much of it is late, how many invoices, and the one to pay first."""

    due: Money
    overdue: Money
    due_count: int = 0
    overdue_count: int = 0
    next_id: int | None = None
    next_due_on: date | None = None


@dataclass(frozen=True, slots=True)
class InvoiceListing:
    """One page of invoices, how many match, how many there are at all, and what is owed over all of them."""

    rows: tuple[Invoice, ...]
    total: int
    count: int
    owed: Owed


@dataclass(frozen=True, slots=True)
class Invoices:
    """Some of a customer's invoices; `as_of` is set when they are saved data, older than they should be."""

    listing: InvoiceListing
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class InvoiceDetail:
    """One invoice; `as_of` is set when it is saved data, older than it should be."""

    invoice: Invoice
    as_of: datetime | None = None
