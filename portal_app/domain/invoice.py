"""Invoices as WHMCS has them: amounts are read, never recomputed."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from portal_app.domain.money import Money

InvoiceStatus = Literal["draft", "unpaid", "paid", "cancelled", "refunded", "collections", "payment_pending", "unknown"]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of an invoice; `service_id` where it bills a service."""

    description: str
    amount: Money
    taxed: bool
    service_id: int | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in (or, negative, went back) for an invoice."""

    paid_at: datetime
    gateway: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice of one WHMCS client. Lists know no balance, lines or payments; the detail does."""

    id: int
    number: str
    client_id: int
    status: InvoiceStatus
    issued_on: date | None
    due_on: date | None
    paid_at: datetime | None
    subtotal: Money
    tax: Money
    credit: Money
    total: Money
    balance: Money | None = None
    lines: tuple[InvoiceLine, ...] = ()
    payments: tuple[Payment, ...] = ()

    def is_overdue(self, today: date) -> bool:
        """Say whether it is unpaid past its day (a business date in Japan)."""
        return self.status == "unpaid" and self.due_on is not None and self.due_on < today

    @property
    def label(self) -> str:
        """What the customer calls it: its number, or its id while it has none."""
        return self.number or str(self.id)


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A stored card or bank account; never its token."""

    id: int
    kind: Literal["card", "bank"]
    description: str
    last_four: str
    expires: str
    gateway: str
