"""A service a customer has: as WHMCS bills it."""

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
    """A service's open or executed request to end it, at once or when the paid period is over."""

    service_id: int
    at_period_end: bool
    reason: str
    requested_at: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """One WHMCS service. `reference` is our own reference, kept in a product custom field.

    `fields` are the custom fields an operator lets customers see, as (name, value).
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
    suspended_because: str = ""
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def is_internet_line(self) -> bool:
        """Say whether this is a fibre line itself, not what comes with one: its product's name tells."""
        name = self.name.lower()
        return "internet" in name or "sonixnet" in name or ("ntt" in name and "fiber" in name)

    @property
    def is_live(self) -> bool:
        """Say whether it works, is about to, or is only suspended."""
        return self.status in ("pending", "active", "suspended")

    @property
    def is_over(self) -> bool:
        """Say whether it has ended for good, or never became one."""
        return self.status in OVER_STATUSES

    @property
    def category(self) -> Category:
        """Guess the kind of service from its product and group names, as the original system does."""
        words = f"{self.name} {self.group}".lower()
        if "sim" in words:
            return "sim"
        if "vpn" in words:
            return "vpn"
        if "internet" in words or ("ntt" in words and "fiber" in words):
            return "internet"
        return "other"


@dataclass(frozen=True, slots=True)
class Services:
    """A customer's services; `as_of` is set when they are saved data, older than they should be."""

    rows: list[Subscription]
    as_of: datetime | None = None
