"""Queries for a customer's invoices, and their results."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.money import Money

# The statuses of invoices; "due" and "overdue" divide the unpaid ones.
InvoiceFilter = Literal[
    "draft", "unpaid", "paid", "cancelled", "refunded", "collections", "payment_pending", "unknown", "due", "overdue"
]
InvoiceSort = Literal["issued", "due", "total", "number"]


@dataclass(frozen=True, slots=True)
class InvoiceQuery:
    """Filter, order and page of a list of invoices. Pages start at 1; `search` matches numbers and whole amounts.

    "due" selects all unpaid invoices, "overdue" those past their due date; without a status all are selected.
    """

    status: InvoiceFilter | None = None
    search: str = ""
    sort: InvoiceSort = "issued"
    descending: bool = True
    page: int = 1
    limit: int = 20

    @property
    def key(self) -> str:
        """A cache key: equal queries have equal keys."""
        return repr((self.status, self.search.strip(), self.sort, self.descending, self.page, self.limit))


@dataclass(frozen=True, slots=True)
class Owed:
    """The total amount due, the overdue part of it, the number of invoices of both, and the invoice to pay first."""

    due: Money
    overdue: Money
    due_count: int = 0
    overdue_count: int = 0
    next_id: int | None = None
    next_due_on: date | None = None


@dataclass(frozen=True, slots=True)
class InvoiceListing:
    """One page of invoices. `total` counts the matching invoices, `count` all of them; `owed` is over all of them."""

    rows: tuple[Invoice, ...]
    total: int
    count: int
    owed: Owed


@dataclass(frozen=True, slots=True)
class Invoices:
    """A list of invoices; `as_of` is the time of the data if they are staler than the policy allows."""

    listing: InvoiceListing
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class InvoiceDetail:
    """One invoice; `as_of` is the time of the data if it is staler than the policy allows.

    `is_unreadable`: WHMCS answers, but what it says of this invoice cannot be read.
    """

    invoice: Invoice
    as_of: datetime | None = None
    is_unreadable: bool = False
