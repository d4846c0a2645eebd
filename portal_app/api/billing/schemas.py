"""How the API shows invoices, payments, payment methods and credit."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from portal_app.api.http.money import Amount
from portal_app.api.http.resource import From, Resource


@dataclass
class InvoiceSummary(Resource):
    """An invoice as the list shows it."""

    id: int
    number: Annotated[str, From("label")]
    status: str
    issued_on: date | None
    due_on: date | None
    paid_at: datetime | None
    total: Amount


@dataclass
class LineView(Resource):
    """One line of an invoice."""

    description: str
    amount: Amount
    service_id: int | None


@dataclass
class PaymentView(Resource):
    """Money that came in or, negative, went back."""

    paid_at: datetime
    gateway: str
    amount: Amount


@dataclass
class TaxView(Resource):
    """The tax of one rate."""

    percent: Annotated[str, From("rate", str)]
    amount: Amount


@dataclass
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


@dataclass
class OwedView(Resource):
    """What is owed over all invoices, however the page is filtered; `next_id` is the one to pay first."""

    due: Amount
    overdue: Amount
    due_count: int
    overdue_count: int
    next_id: int | None
    next_due_on: date | None


@dataclass
class InvoicePage(Resource):
    """One page of invoices of `total` that match. `as_of` is set for saved data that could not be refreshed."""

    items: Annotated[list[InvoiceSummary], From("listing.rows")]
    owed: Annotated[OwedView, From("listing.owed")]
    page: int
    limit: int
    total: Annotated[int, From("listing.total")]
    as_of: datetime | None


@dataclass
class PaymentMethodView(Resource):
    """A stored card or bank account."""

    id: int
    kind: str
    description: str
    last_four: str
    expires: str
    last_valid_on: date | None
    is_default: bool | None


@dataclass
class PaymentMethodList(Resource):
    """All stored payment methods."""

    items: list[PaymentMethodView]


@dataclass
class GatewayView(Resource):
    """A way to pay: the billing system's name of it, and the one customers read."""

    name: str
    title: str


@dataclass
class GatewayList(Resource):
    """All ways to pay that are switched on."""

    items: list[GatewayView]


@dataclass
class TransactionView(Resource):
    """Money that came in or, negative, went back."""

    id: int
    at: datetime | None
    description: str
    gateway: str
    invoice_id: int | None
    amount: Amount


@dataclass
class TransactionList(Resource):
    """All transactions, newest first."""

    items: list[TransactionView]


@dataclass
class CreditEntryView(Resource):
    """One change of the credit, signed."""

    id: int
    on: date | None
    description: str
    invoice_id: int | None
    amount: Amount


@dataclass
class CreditView(Resource):
    """The credit that is left, and its history, newest first."""

    balance: Amount
    items: Annotated[list[CreditEntryView], From("entries")]


@dataclass
class SignOnLink(Resource):
    """A single-use link into the billing pages; open it within a minute, in a browser."""

    url: str
