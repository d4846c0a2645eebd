"""How the API shows invoices, payments, payment methods and credit."""

from datetime import date, datetime

from typing_extensions import TypedDict

from portal_app.api.http.money import Amount, amount
from portal_app.domain.billing.invoice import CreditEntry, Invoice, InvoiceLine, Payment, PaymentMethod, Transaction
from portal_app.domain.billing.invoice_list import Owed


class InvoiceSummary(TypedDict):
    """An invoice as the list shows it."""

    id: int
    number: str
    status: str
    issued_on: date | None
    due_on: date | None
    paid_at: datetime | None
    total: Amount


class LineView(TypedDict):
    """One line of an invoice."""

    description: str
    amount: Amount
    service_id: int | None


class PaymentView(TypedDict):
    """Money that came in or, negative, went back."""

    paid_at: datetime
    gateway: str
    amount: Amount


class TaxView(TypedDict):
    """The tax of one rate."""

    percent: str
    amount: Amount


class InvoiceView(InvoiceSummary):
    """One invoice in full. `as_of` is set for saved data, shown while WHMCS is away."""

    subtotal: Amount
    tax: Amount
    credit: Amount
    balance: Amount | None
    lines: list[LineView]
    payments: list[PaymentView]
    taxes: list[TaxView]
    as_of: datetime | None


class OwedView(TypedDict):
    """What is owed over all invoices, however the page is filtered; `next_id` is the one to pay first."""

    due: Amount
    overdue: Amount
    due_count: int
    overdue_count: int
    next_id: int | None
    next_due_on: date | None


class InvoicePage(TypedDict):
    """One page of invoices of `total` that match. `as_of` is set for saved data that could not be read anew."""

    items: list[InvoiceSummary]
    owed: OwedView
    page: int
    limit: int
    total: int
    as_of: datetime | None


class PaymentMethodView(TypedDict):
    """A stored card or bank account."""

    id: int
    kind: str
    description: str
    last_four: str
    expires: str
    last_valid_on: date | None
    is_default: bool | None


class PaymentMethodList(TypedDict):
    """All stored payment methods."""

    items: list[PaymentMethodView]


class GatewayView(TypedDict):
    """A way to pay: the billing system's name of it, and the one customers read."""

    name: str
    title: str


class GatewayList(TypedDict):
    """All ways to pay that are switched on."""

    items: list[GatewayView]


class TransactionView(TypedDict):
    """Money that came in or, negative, went back."""

    id: int
    at: datetime | None
    description: str
    gateway: str
    invoice_id: int | None
    amount: Amount


class TransactionList(TypedDict):
    """All transactions, newest first."""

    items: list[TransactionView]


class CreditEntryView(TypedDict):
    """One change of the credit, signed."""

    id: int
    on: date | None
    description: str
    invoice_id: int | None
    amount: Amount


class CreditView(TypedDict):
    """The credit that is left, and its history, newest first."""

    balance: Amount
    items: list[CreditEntryView]


class SignOnLink(TypedDict):
    """A single-use link into the billing pages; open it within a minute, in a browser."""

    url: str


def invoice_summary(invoice: Invoice) -> InvoiceSummary:
    """Show an invoice in a list."""
    return {
        "id": invoice.id,
        "number": invoice.label,
        "status": invoice.status,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "paid_at": invoice.paid_at,
        "total": amount(invoice.total),
    }


def invoice_in_full(invoice: Invoice, as_of: datetime | None) -> InvoiceView:
    """Show an invoice with lines and payments."""
    return {
        **invoice_summary(invoice),
        "subtotal": amount(invoice.subtotal),
        "tax": amount(invoice.tax),
        "credit": amount(invoice.credit),
        "balance": amount(invoice.balance) if invoice.balance is not None else None,
        "lines": [_line(line) for line in invoice.lines],
        "payments": [_payment(payment) for payment in invoice.payments],
        "taxes": [{"percent": str(tax.rate), "amount": amount(tax.amount)} for tax in invoice.taxes],
        "as_of": as_of,
    }


def owed(sums: Owed) -> OwedView:
    """Show what is owed."""
    return {
        "due": amount(sums.due),
        "overdue": amount(sums.overdue),
        "due_count": sums.due_count,
        "overdue_count": sums.overdue_count,
        "next_id": sums.next_id,
        "next_due_on": sums.next_due_on,
    }


def payment_method(method: PaymentMethod) -> PaymentMethodView:
    """Show a card or bank account."""
    return {
        "id": method.id,
        "kind": method.kind,
        "description": method.description,
        "last_four": method.last_four,
        "expires": method.expires,
        "last_valid_on": method.last_valid_on,
        "is_default": method.is_default,
    }


def transaction(entry: Transaction) -> TransactionView:
    """Show money that moved."""
    return {
        "id": entry.id,
        "at": entry.at,
        "description": entry.description,
        "gateway": entry.gateway,
        "invoice_id": entry.invoice_id,
        "amount": amount(entry.amount),
    }


def credit(entry: CreditEntry) -> CreditEntryView:
    """Show a change of the credit."""
    return {
        "id": entry.id,
        "on": entry.on,
        "description": entry.description,
        "invoice_id": entry.invoice_id,
        "amount": amount(entry.amount),
    }


def _line(line: InvoiceLine) -> LineView:
    return {"description": line.description, "amount": amount(line.amount), "service_id": line.service_id}


def _payment(payment: Payment) -> PaymentView:
    return {"paid_at": payment.paid_at, "gateway": payment.gateway, "amount": amount(payment.amount)}
