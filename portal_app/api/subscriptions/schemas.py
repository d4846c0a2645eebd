"""How the API shows services and SIM lines."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from portal_app.api.billing.schemas import InvoiceSummary
from portal_app.api.http.money import Amount
from portal_app.api.http.resource import From, Resource
from portal_app.api.subscriptions.cancellation_schema import CancellationView, EndingView
from portal_app.domain.subscriptions.cancellation import CancellationRequest
from portal_app.domain.subscriptions.subscription import Subscription


@dataclass
class SubscriptionView(Resource):
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


@dataclass
class FieldView(Resource):
    """A custom field of a service that customers may read."""

    name: str
    value: str


@dataclass
class SubscriptionList(Resource):
    """All services, newest first."""

    items: list[SubscriptionView]
    as_of: datetime | None


@dataclass
class PhoneLineView(Resource):
    """A phone line as its carrier has it; `as_of` is set for saved data."""

    number: str
    state: str
    as_of: datetime | None


@dataclass
class SubscriptionDetail(SubscriptionView):
    """One service; `as_of` is set for saved data. `if_cancelled` is null where it cannot be cancelled here.

    `line` is null where the service has no phone line of ours.
    """

    first_payment: Amount
    fields: Annotated[list[FieldView], From("fields", lambda pairs: [FieldView(*pair) for pair in pairs])]
    if_cancelled: EndingView | None
    as_of: datetime | None
    invoices: list[InvoiceSummary]
    line: PhoneLineView | None


def subscription_view(service: Subscription, request: CancellationRequest | None) -> SubscriptionView:
    """Return a service with its newest cancellation."""
    return SubscriptionView.from_domain(service, cancellation=CancellationView.from_optional(request))
