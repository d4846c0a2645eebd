"""How the API shows the summary of the dashboard."""

from dataclasses import dataclass
from datetime import date, datetime

from portal_app.api.billing.schemas import InvoiceSummary, OwedView
from portal_app.api.http.money import Amount
from portal_app.api.http.resource import Resource
from portal_app.api.orders.schemas import OrderView
from portal_app.api.subscriptions.schemas import ListedSubscription, listed
from portal_app.domain.dashboard.summary import Summary


@dataclass
class TaskView(Resource):
    """Something that waits for the customer; `subject` is what they call it, `id` what the API does."""

    kind: str
    id: str
    subject: str
    on: date | None
    amount: Amount | None


@dataclass
class SummaryView(Resource):
    """The dashboard's figures; null is unknown, and never the same as nothing. Tasks come most urgent first."""

    owed: OwedView | None
    next_invoice: InvoiceSummary | None
    services: list[ListedSubscription] | None
    orders: list[OrderView]
    open_cases: int | None
    internet: str | None
    tasks: list[TaskView]
    as_of: datetime | None


@dataclass
class CalendarLinkView(Resource):
    """When the calendar link was made, null where there is none."""

    made_at: datetime | None


@dataclass
class NewCalendarLink(Resource):
    """The address of the new link; null for a repeated call, as it is told once."""

    url: str | None


def summary_view(found: Summary) -> SummaryView:
    """Return the dashboard's figures, each service with its newest cancellation."""
    services = None
    if found.services is not None:
        services = listed(found.services, found.cancellations)
    return SummaryView.from_domain(found, services=services)
