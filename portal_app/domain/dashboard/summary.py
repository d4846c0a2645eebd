"""The dashboard summary of a customer. None means unknown, which differs from empty."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, get_args

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.billing.invoice_list import Owed
from portal_app.domain.internet.eligibility import CheckStatus
from portal_app.domain.money import Money
from portal_app.domain.orders.order import Order
from portal_app.domain.subscriptions.cancellation import CancellationRequest
from portal_app.domain.subscriptions.subscription import Subscription

TaskKind = Literal[
    "pay_overdue",
    "service_suspended",
    "order_needs_attention",
    "case_answered",
    "cancellation_refused",
    "card_expired",
    "card_expires",
    "pay_due",
    "address_checked",
    "service_ends",
]
# In order of urgency.
TASK_KINDS: tuple[TaskKind, ...] = get_args(TaskKind)


@dataclass(frozen=True, slots=True)
class Task:
    """Something the customer should do. `subject` is the name the customer knows, `id` the id in the API."""

    kind: TaskKind
    id: str
    subject: str
    on: date | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary. `as_of` is the time of the billing data if they are staler than the policy allows.

    `cancellations` maps service ids to the newest cancellation request.
    """

    owed: Owed | None
    next_invoice: Invoice | None
    services: tuple[Subscription, ...] | None
    orders: tuple[Order, ...]
    open_cases: int | None
    internet: CheckStatus | None
    tasks: tuple[Task, ...]
    as_of: datetime | None = None
    cancellations: Mapping[int, CancellationRequest] = field(default_factory=dict)
