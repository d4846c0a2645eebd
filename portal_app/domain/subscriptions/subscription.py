"""Services of a customer as WHMCS bills them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from portal_app.domain.catalog.plan import Category
from portal_app.domain.money import Money

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
    """One WHMCS service. `reference` is the portal's, stored in a product custom field.

    `fields` are the custom fields visible to customers, as (name, value).
    """

    id: int
    client_id: int
    product_id: int
    order_id: int | None
    name: str
    group: str
    status: SubscriptionStatus
    cycle: str
    recurring: Money
    first_payment: Money
    registered_on: date | None
    next_due_on: date | None
    reference: str = ""
    gateway: str = ""
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def is_internet_line(self) -> bool:
        """Whether this is a fibre line and not an add-on of one, judged by the product's name."""
        name = self.name.lower()
        return "internet" in name or "sonixnet" in name or ("ntt" in name and "fiber" in name)

    @property
    def is_live(self) -> bool:
        """Whether the service is pending, active or suspended."""
        return self.status in ("pending", "active", "suspended")

    @property
    def is_over(self) -> bool:
        """Say whether it has ended for good, or never became one."""
        return self.status in OVER_STATUSES

    @property
    def category(self) -> Category:
        """The category, guessed from product and group names as the original system does."""
        text = f"{self.name} {self.group}".lower()
        if "sim" in text:
            return "sim"
        if "vpn" in text:
            return "vpn"
        if "internet" in text or ("ntt" in text and "fiber" in text):
            return "internet"
        return "other"


@dataclass(frozen=True, slots=True)
class Services:
    """A customer's services; `as_of` is the time of the data if they are staler than the policy allows."""

    rows: list[Subscription]
    as_of: datetime | None = None
