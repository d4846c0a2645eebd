"""Invoices, transactions and payment methods as WHMCS reports them; amounts are never recomputed here."""

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
    """One line of an invoice. `service_id` is set if the line bills a service."""

    description: str
    amount: Money
    taxed: bool
    service_id: int | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of an invoice; a refund has a negative amount."""

    paid_at: datetime
    gateway: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax of an invoice at one rate (in percent)."""

    rate: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice of one WHMCS client.

    `balance`, `lines` and `payments` are set only if the invoice was read by itself, `updated_at` only if it was read
    in a list. `tax` is the sum of `taxes`. `gateway` is WHMCS's system name of the payment gateway.
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
        """Return whether the invoice is unpaid after its due date; `today` is a date in Japan."""
        return self.status == "unpaid" and self.due_on is not None and self.due_on < today

    @property
    def owed(self) -> Money:
        """The amount left to pay: zero for a settled invoice, the total if the balance is unknown."""
        if self.status not in OPEN_STATUSES:
            return Money(0, self.total.currency)
        return self.total if self.balance is None else self.balance

    @property
    def label(self) -> str:
        """The name a customer sees: the invoice number, or the id as long as no number is assigned."""
        return self.number or str(self.id)


@dataclass(frozen=True, slots=True)
class Transaction:
    """A payment, or a refund with a negative amount."""

    id: int
    client_id: int
    invoice_id: int | None
    at: datetime | None
    gateway: str
    description: str
    amount: Money
    reference: str


@dataclass(frozen=True, slots=True)
class CreditEntry:
    """One change of a client's credit, with its sign.

    The entries need not add up to the balance: WHMCS staff can set the balance without an entry.
    """

    id: int
    on: date | None
    description: str
    amount: Money
    invoice_id: int | None = None


@dataclass(frozen=True, slots=True)
class PaymentGateway:
    """A payment gateway: WHMCS's system name and the title for customers."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A stored card or bank account, without its token. `is_default` is None if WHMCS does not report it."""

    id: int
    kind: Literal["card", "bank"]
    description: str
    last_four: str
    expires: str
    gateway: str
    is_default: bool | None = None

    @property
    def last_valid_on(self) -> date | None:
        """The last day of the card's expiry month (MM/YY), or None if there is none."""
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
