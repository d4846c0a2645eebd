"""How the API shows services and SIM lines."""

from datetime import date, datetime
from typing import NotRequired

from typing_extensions import TypedDict

from portal_app.api.billing.schemas import InvoiceSummary
from portal_app.api.http.money import Amount, amount
from portal_app.api.subscriptions.cancellation_schema import CancellationView, EndingView, cancellation, ending
from portal_app.domain.orders.sim_order import ShownLine
from portal_app.domain.subscriptions.cancellation import CancellationRequest, CancellationSchedule
from portal_app.domain.subscriptions.subscription import Subscription


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


def subscription(service: Subscription, request: CancellationRequest | None = None) -> SubscriptionView:
    """Show a service."""
    return {
        "id": service.id,
        "name": service.name,
        "category": service.category,
        "status": service.status,
        "cycle": service.cycle,
        "recurring": amount(service.recurring),
        "registered_on": service.registered_on,
        "next_due_on": service.next_due_on,
        "cancellation": cancellation(request) if request else None,
    }


def subscription_in_full(
    service: Subscription,
    as_of: datetime | None,
    request: CancellationRequest | None,
    if_cancelled: CancellationSchedule | None,
) -> SubscriptionDetail:
    """Show a service by itself."""
    return {
        **subscription(service, request),
        "first_payment": amount(service.first_payment),
        "fields": [{"name": name, "value": value} for name, value in service.fields],
        "if_cancelled": ending(if_cancelled) if if_cancelled and not (request and request.is_open) else None,
        "as_of": as_of,
    }


def phone_line(shown: ShownLine | None) -> PhoneLineView | None:
    """Show the phone line of a service."""
    return {"number": shown.number, "state": shown.state, "as_of": shown.as_of} if shown else None
