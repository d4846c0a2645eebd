"""The shapes of what the API shows: plain documents, amounts in whole minor units, times in UTC."""

from datetime import date, datetime
from typing import NotRequired
from uuid import UUID

from typing_extensions import TypedDict

from portal_app.api.cancellation_view import CancellationView, EndingView


class Amount(TypedDict):
    """An amount: `minor` counts yen for JPY, `text` is fit to show."""

    minor: int
    currency: str
    text: str


class BillingAddressView(TypedDict):
    """An address as bills carry it, romanised."""

    line1: str
    line2: str
    city: str
    prefecture: str
    postcode: str


class AddressView(TypedDict):
    """An address in Japanese script, with the Latin letters that it was given."""

    postcode: str
    prefecture: str
    city: str
    town: str
    street: str
    building: str
    city_romanised: str
    town_romanised: str
    building_romanised: str


class ProfileShape(TypedDict):
    """A customer's data, with what is on its way to our systems. `saved_at` is set while billing does not answer.

    `address` is null where only the romanised one is known.
    """

    first_name: str
    last_name: str
    first_name_kana: str
    last_name_kana: str
    phone: str
    marketing: bool
    billing_address: BillingAddressView
    address: AddressView | None
    is_on_its_way: bool
    note: str
    saved_at: datetime | None


class Me(TypedDict):
    """The account that is signed in. `customer_number` and `profile` are null until it is set up everywhere."""

    name: str
    email: str
    customer_number: str | None
    status: str
    language: str
    profile: ProfileShape | None


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


class SubscriptionView(TypedDict):
    """One service a customer has."""

    id: int
    name: str
    category: str
    status: str
    cycle: str
    recurring: Amount
    registered_on: date | None
    next_due_on: date | None
    cancellation: CancellationView | None


class FieldView(TypedDict):
    """A custom field of a service that customers may read."""

    name: str
    value: str


class SubscriptionList(TypedDict):
    """All services, newest first."""

    items: list[SubscriptionView]
    as_of: datetime | None


class PhoneLineView(TypedDict):
    """A phone line as its carrier has it; `as_of` is set for saved data."""

    number: str
    state: str
    as_of: datetime | None


class SubscriptionDetail(SubscriptionView):
    """One service; `as_of` is set for saved data. `if_cancelled` is null where it cannot be cancelled here.

    `line` is null where the service has no phone line of ours.
    """

    first_payment: Amount
    fields: list[FieldView]
    if_cancelled: EndingView | None
    invoices: NotRequired[list[InvoiceSummary]]
    line: NotRequired[PhoneLineView | None]
    as_of: datetime | None


class OrderLineView(TypedDict):
    """One thing ordered, with its price without tax."""

    sku: str
    name: str
    cycle: str
    price: Amount


class OrderView(TypedDict):
    """An order and where it stands."""

    id: UUID
    title: str
    category: str
    stage: str
    stage_text: str
    placed_at: datetime
    monthly: Amount
    one_time: Amount
    lines: list[OrderLineView]


class OrderList(TypedDict):
    """All orders, newest first."""

    items: list[OrderView]


class TaskView(TypedDict):
    """Something that waits for the customer; `subject` is what they call it, `id` what the API does."""

    kind: str
    id: str
    subject: str
    on: date | None
    amount: Amount | None


class SummaryView(TypedDict):
    """The dashboard's figures; null is unknown, and never the same as nothing. Tasks come most urgent first."""

    owed: OwedView | None
    next_invoice: InvoiceSummary | None
    services: list[SubscriptionView] | None
    orders: list[OrderView]
    open_cases: int | None
    internet: str | None
    tasks: list[TaskView]
    as_of: datetime | None


class EligibilityView(TypedDict):
    """What fibre the customer's address can have. `status` is null while it is unknown, which is not "no".

    not_requested, pending, eligible, ineligible. Confirm an order with `address_id`, which names the address as it is.
    `as_of` is set for saved data that could not be read anew.
    """

    status: str | None
    offers: list[str]
    note: str
    requested_at: datetime | None
    checked_at: datetime | None
    address: AddressView | None
    address_id: str
    as_of: datetime | None


class OrderEventView(TypedDict):
    """One entry of a timeline."""

    step: str
    at: datetime
    source: str
    detail: str


class OrderWithEvents(OrderView):
    """An order with its timeline, oldest entry first."""

    events: list[OrderEventView]


class ItemView(TypedDict):
    """Something that comes with a plan or may be added to it; the price is without tax."""

    sku: str
    name: str
    item_class: str
    cycle: str
    price: Amount


class PlanView(TypedDict):
    """A plan; prices are without tax. `is_orderable` is false while it cannot be ordered here.

    Family plans are for customers who have a SIM line.
    """

    sku: str
    name: str
    description: str
    details: dict[str, str]
    monthly: Amount
    one_time: Amount
    monthly_with_tax: Amount
    one_time_with_tax: Amount
    is_orderable: bool
    is_family: bool
    offers: list[str]
    included: list[ItemView]
    extras: list[ItemView]


class PlanList(TypedDict):
    """The plans of one category in display order."""

    items: list[PlanView]


class IdentityCheckView(TypedDict):
    """How the check of an identity stands: not_submitted, submitted, verified or rejected, with the agent's reason."""

    status: str
    note: str
    submitted_at: datetime | None
    is_on_its_way: bool
