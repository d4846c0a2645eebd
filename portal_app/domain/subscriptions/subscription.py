"""Services of a customer as WHMCS bills them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from portal_app.domain.catalog.plan import Category
from portal_app.domain.money import Money
from portal_app.domain.subscriptions.billing_cycle import BillingCycle
from portal_app.domain.subscriptions.service_kind import ProductClass, ServiceKind, category_of, kind_of

SubscriptionStatus = Literal[
    "pending", "active", "completed", "suspended", "terminated", "cancelled", "fraud", "unknown"
]
OVER_STATUSES: tuple[SubscriptionStatus, ...] = ("cancelled", "terminated", "completed", "fraud")


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A cancellation request in WHMCS, effective immediately or at the end of the paid period."""

    service_id: int
    at_period_end: bool
    reason: str
    requested_at: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """One row of WHMCS's services. `reference` is the portal's, stored in a product custom field.

    `name` may be translated, `group` is not. `product` is what the catalogue says of its product, None for one that it
    does not have. `fields` are the custom fields visible to customers, as (name, value).
    """

    id: int
    client_id: int
    product_id: int
    order_id: int | None
    name: str
    group: str
    status: SubscriptionStatus
    cycle: BillingCycle
    recurring: Money
    first_payment: Money
    registered_on: date | None
    next_due_on: date | None
    reference: str = ""
    gateway: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    product: ProductClass | None = None

    @property
    def is_live(self) -> bool:
        """Whether the service is pending, active or suspended."""
        return self.status in ("pending", "active", "suspended")

    @property
    def is_over(self) -> bool:
        """Say whether it has ended for good, or never became one."""
        return self.status in OVER_STATUSES

    @property
    def kind(self) -> ServiceKind:
        """What it is: a line, an add-on, an instalment or a fee."""
        return kind_of(self.product, self.cycle)

    @property
    def category(self) -> Category:
        """What it is about."""
        return category_of(self.product, self.group)

    @property
    def is_service(self) -> bool:
        """Whether it is a service of its own and not a way to pay for one."""
        return self.kind in ("line", "add-on")

    @property
    def renews(self) -> bool:
        """Whether it is billed again on its next due date."""
        return self.is_service and self.cycle.is_recurring and self.status == "active"

    def is_line_of(self, category: Category) -> bool:
        """Return whether it is a line of a category, living or over."""
        return self.kind == "line" and self.category == category

    def is_live_line(self, category: Category) -> bool:
        """Return whether it is a line of a category that is being opened, open or suspended."""
        return self.is_line_of(category) and self.is_live


@dataclass(frozen=True, slots=True)
class ServiceGroup:
    """A line with its add-ons, or an add-on whose line is not known."""

    line: Subscription
    add_ons: tuple[Subscription, ...] = ()


def grouped(rows: Sequence[Subscription]) -> list[ServiceGroup]:
    """Return the services among rows as groups, in the order of the lines.

    An add-on belongs to the line of its category in the same order, otherwise to the only living one of its category.
    """
    services = [row for row in rows if row.is_service]
    lines = [row for row in services if row.kind == "line"]
    of_line: dict[int, list[Subscription]] = {}
    alone: set[int] = set()
    for add_on in (row for row in services if row.kind == "add-on"):
        line = _line_of(add_on, lines)
        if line is None:
            alone.add(add_on.id)
        else:
            of_line.setdefault(line.id, []).append(add_on)
    return [
        ServiceGroup(row, tuple(of_line.get(row.id, ()))) for row in services if row.kind == "line" or row.id in alone
    ]


@dataclass(frozen=True, slots=True)
class HangingOn:
    """What lives on a line: add-ons and instalments. `doubtful` are those whose line is not known."""

    own: tuple[Subscription, ...] = ()
    doubtful: tuple[Subscription, ...] = ()


def hanging_on(line_id: int, rows: Sequence[Subscription]) -> HangingOn:
    """Return what ends with a line; nothing for a service that is no line."""
    lines = [row for row in rows if row.kind == "line"]
    ending = next((line for line in lines if line.id == line_id), None)
    if ending is None:
        return HangingOn()
    alike = [
        row for row in rows if row.kind in ("add-on", "instalment") and row.category == ending.category and row.is_live
    ]
    line_of = {row.id: _line_of(row, lines) for row in alike}
    return HangingOn(
        tuple(row for row in alike if line_of[row.id] is ending),
        tuple(row for row in alike if line_of[row.id] is None),
    )


def _line_of(add_on: Subscription, lines: Sequence[Subscription]) -> Subscription | None:
    alike = [line for line in lines if line.category == add_on.category]
    ordered = [line for line in alike if line.order_id is not None and line.order_id == add_on.order_id]
    living = [line for line in alike if line.is_live]
    return next((found[0] for found in (ordered, living) if len(found) == 1), None)


@dataclass(frozen=True, slots=True)
class Services:
    """All rows of a customer, fees too; `as_of` is the time of the data if they are staler than the policy allows."""

    rows: list[Subscription]
    as_of: datetime | None = None
