"""Invoices as WHMCS has them: amounts are read, never recomputed."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from portal_app.domain.money import Money

InvoiceStatus = Literal["draft", "unpaid", "paid", "cancelled", "refunded", "collections", "payment_pending", "unknown"]
OPEN_STATUSES: tuple[InvoiceStatus, ...] = ("unpaid", "collections")
# A card is announced, and shown as expiring, while this much is left of it.
EXPIRES_SOON = timedelta(days=45)


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
class Tax:
    """The tax of one rate, in percent."""

    rate: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice of one WHMCS client. Lists know no balance, lines or payments; the detail does.

    `tax` is the sum of `taxes`; `updated_at` is known to lists only; `gateway` is a system name.
    """

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
    taxes: tuple[Tax, ...] = ()
    gateway: str = ""
    updated_at: datetime | None = None

    def is_of(self, client_id: int) -> bool:
        """Say whether a client may see it: it is theirs, and no draft."""
        return self.client_id == client_id and self.status != "draft"

    def is_overdue(self, today: date) -> bool:
        """Say whether it is unpaid past its day (a business date in Japan)."""
        return self.status == "unpaid" and self.due_on is not None and self.due_on < today

    @property
    def owed(self) -> Money:
        """What is left to pay, as far as is known: nothing once it is settled, the total where no balance is known."""
        if self.status not in OPEN_STATUSES:
            return Money(0, self.total.currency)
        return self.total if self.balance is None else self.balance

    @property
    def label(self) -> str:
        """What the customer calls it: its number, or its id while it has none."""
        return self.number or str(self.id)


@dataclass(frozen=True, slots=True)
class Transaction:
    """Money in or, negative, out; `refund_of` is the transaction it gives back."""

    id: int
    client_id: int
    invoice_id: int | None
    at: datetime | None
    gateway: str
    description: str
    amount: Money
    reference: str
    refund_of: int | None = None


@dataclass(frozen=True, slots=True)
class CreditEntry:
    """One change of a client's credit, signed. The balance stands with the client: staff may set it without a row."""

    id: int
    on: date | None
    description: str
    amount: Money
    invoice_id: int | None = None


@dataclass(frozen=True, slots=True)
class PaymentGateway:
    """A way to pay: WHMCS's system name, and the name customers read."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A stored card or bank account; never its token. `is_default` is None where WHMCS does not tell."""

    id: int
    kind: Literal["card", "bank"]
    description: str
    last_four: str
    expires: str
    gateway: str
    is_default: bool | None = None

    @property
    def last_valid_on(self) -> date | None:
        """The last day of a card's MM/YY, or None where it has none."""
        month, _, year = self.expires.partition("/")
        if not (month.isdecimal() and year.isdecimal() and 1 <= int(month) <= 12):
            return None
        full = 2000 + int(year) if len(year) == 2 else int(year)
        return date(full, int(month), monthrange(full, int(month))[1])

    def is_expired(self, today: date) -> bool:
        """Say whether a card's last day is over."""
        return self.last_valid_on is not None and self.last_valid_on < today

    def expires_soon(self, today: date) -> bool:
        """Say whether a card still works, and not for much longer."""
        last = self.last_valid_on
        return last is not None and today <= last <= today + EXPIRES_SOON
