"""How the API shows the summary of the dashboard."""

from datetime import date, datetime

from typing_extensions import TypedDict

from portal_app.api.billing.schemas import InvoiceSummary, OwedView, invoice_summary, owed
from portal_app.api.http.money import Amount, amount
from portal_app.api.orders.schemas import OrderView, order
from portal_app.api.subscriptions.schemas import SubscriptionView, subscription
from portal_app.domain.dashboard.summary import Summary, Task


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


def summary(found: Summary) -> SummaryView:
    """Show the dashboard's figures."""
    return {
        "owed": owed(found.owed) if found.owed else None,
        "next_invoice": invoice_summary(found.next_invoice) if found.next_invoice else None,
        "services": _services(found),
        "orders": [order(placed) for placed in found.orders],
        "open_cases": found.open_cases,
        "internet": found.internet,
        "tasks": [_task(task) for task in found.tasks],
        "as_of": found.as_of,
    }


def _services(found: Summary) -> list[SubscriptionView] | None:
    if found.services is None:
        return None
    return [subscription(row, found.cancellations.get(row.id)) for row in found.services]


def _task(task: Task) -> TaskView:
    owing = amount(task.amount) if task.amount else None
    return {"kind": task.kind, "id": task.id, "subject": task.subject, "on": task.on, "amount": owing}
