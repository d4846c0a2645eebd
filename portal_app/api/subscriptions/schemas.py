"""How the API shows services and SIM lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from portal_app.api.billing.schemas import InvoiceSummary
from portal_app.api.http.money import Amount
from portal_app.api.http.resource import From, Resource
from portal_app.api.subscriptions.cancellation_schema import CancellationView, EndingView
from portal_app.domain.subscriptions.cancellation import CancellationRequest
from portal_app.domain.subscriptions.subscription import Subscription, grouped


@dataclass
class SubscriptionView(Resource):
    """One service a customer has; `kind` is line or add-on, and instalment or fee for what only pays for one."""

    id: int
    name: str
    kind: str
    category: str
    status: str
    cycle: str
    recurring: Amount
    registered_on: date | None
    next_due_on: date | None
    cancellation: CancellationView | None


@dataclass
class ListedSubscription(SubscriptionView):
    """A service in a list; `line_id` names the line of an add-on, null where it is not known."""

    line_id: int | None


@dataclass
class FieldView(Resource):
    """A custom field of a service that customers may read."""

    name: str
    value: str


@dataclass
class SubscriptionList(Resource):
    """All services, newest line first, each with its add-ons after it; fees and instalments are none."""

    items: list[ListedSubscription]
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


def listed(rows: Sequence[Subscription], requests: Mapping[int, CancellationRequest]) -> list[ListedSubscription]:
    """Return the services among rows, each with its newest cancellation."""
    pairs = [
        (service, group.line.id if service is not group.line else None)
        for group in grouped(rows)
        for service in (group.line, *group.add_ons)
    ]
    return [
        ListedSubscription.from_domain(
            service, cancellation=CancellationView.from_optional(requests.get(service.id)), line_id=line_id
        )
        for service, line_id in pairs
    ]
