"""Orders: lines, stage and timeline, and the order as Salesforce stores it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from portal_app.domain.catalog.plan import CatalogItem, Category, Cycle, monthly_of, one_time_of
from portal_app.domain.checkout.options import Options
from portal_app.domain.money import Money
from portal_app.domain.orders.waiting import FROM_CUSTOMER, WaitsFor
from portal_app.domain.profile.address import Address

OrderStage = Literal[
    "received", "in_review", "being_set_up", "needs_attention", "active", "not_accepted", "cancelled", "in_progress"
]

STAGE_WORDS: dict[OrderStage, str] = {
    "received": "Received",
    "in_review": "In review",
    "being_set_up": "Being set up",
    "needs_attention": "With our team",
    "active": "Active",
    "not_accepted": "Not accepted",
    "cancelled": "Cancelled",
    "in_progress": "In progress",
}
# A stopped order that goes on when its customer has done something.
WAITS_FOR_CUSTOMER = "Waiting for you"
FINAL_STAGES: frozenset[OrderStage] = frozenset({"active", "not_accepted", "cancelled"})


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One ordered item with the price at the time of the order (yen without tax)."""

    sku: str
    name: str
    cycle: Cycle
    price: Money
    pricebook_entry_id: str
    whmcs_product_id: int | None

    @classmethod
    def from_item(cls, item: CatalogItem) -> "OrderLine":
        """Return an order line for a catalogue item at its current price."""
        return cls(
            sku=item.sku,
            name=item.name,
            cycle=item.cycle,
            price=item.price,
            pricebook_entry_id=item.pricebook_entry_id,
            whmcs_product_id=item.whmcs_product_id,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the line as the database row stores it."""
        return {
            "sku": self.sku,
            "name": self.name,
            "cycle": self.cycle,
            "price_minor": self.price.minor,
            "currency": self.price.currency,
            "pricebook_entry_id": self.pricebook_entry_id,
            "whmcs_product_id": self.whmcs_product_id,
        }

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> "OrderLine":
        """Return the line that `to_json` wrote."""
        return cls(
            sku=row["sku"],
            name=row["name"],
            cycle=row["cycle"],
            price=Money(row["price_minor"], row["currency"]),
            pricebook_entry_id=row["pricebook_entry_id"],
            whmcs_product_id=row["whmcs_product_id"],
        )


@dataclass(frozen=True, slots=True)
class Order:
    """A customer's order in the portal. `sf_order_id` is empty until Salesforce has the order.

    `address` is the customer's address at the time of the order. Orders created in Salesforce have neither `options`
    nor `address`. `waits_for` is what a stopped order waits for, where it was asked for (`services/orders/awaited.py`).
    """

    id: UUID
    user_id: UUID
    category: Category
    stage: OrderStage
    lines: tuple[OrderLine, ...]
    placed_at: datetime
    sf_order_id: str = ""
    whmcs_order_id: int | None = None
    attempt: int = 1
    options: Options | None = None
    address: Address | None = field(default=None, repr=False)
    waits_for: WaitsFor = ""

    @property
    def is_customer_awaited(self) -> bool:
        """Whether the order goes on only when its customer has done something."""
        return self.waits_for in FROM_CUSTOMER

    @property
    def stage_text(self) -> str:
        """The stage in a customer's words: a stopped order says whom it waits for."""
        return WAITS_FOR_CUSTOMER if self.is_customer_awaited else STAGE_WORDS[self.stage]

    @property
    def title(self) -> str:
        """The name of the ordered service: the first line."""
        return self.lines[0].name if self.lines else "Order"

    @property
    def monthly(self) -> Money:
        """The monthly total without tax."""
        return monthly_of(self.lines)

    @property
    def one_time(self) -> Money:
        """The one-time total without tax."""
        return one_time_of(self.lines)


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One entry of an order's timeline. `step` is a stored name; `source` says who caused it."""

    step: str
    at: datetime
    source: Literal["you", "staff", "system"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """An order with its timeline, oldest entry first."""

    order: Order
    events: tuple[OrderEvent, ...]


@dataclass(frozen=True, slots=True)
class NewSalesforceOrder:
    """The order as it is sent to Salesforce; `order_id` is the key of the upsert."""

    order_id: UUID
    account_id: str
    category: Category
    lines: tuple[OrderLine, ...]
    placed_at: datetime
    address: Address | None = None
    options: Options | None = None


@dataclass(frozen=True, slots=True)
class SalesforceOrder:
    """An order as read from Salesforce."""

    id: str
    portal_order_id: str
    account_id: str
    status: str
    activation_status: str
    whmcs_order_id: str
    category: Category
    error_code: str = ""
    created_at: datetime | None = None

    @property
    def stage(self) -> OrderStage:
        """The stage for Status and Activation_Status__c; unknown combinations are in progress, never active."""
        return _STAGES.get((self.status, self.activation_status)) or _BY_STATUS.get(self.status, "in_progress")


_STAGES: dict[tuple[str, str], OrderStage] = {
    ("Pending Review", ""): "in_review",
    ("Pending Review", "Not Started"): "in_review",
    ("Pending Review", "Activating"): "being_set_up",
    ("Pending Review", "Failed"): "needs_attention",
    ("Processed", "Activated"): "active",
}
_BY_STATUS: dict[str, OrderStage] = {"Rejected": "not_accepted", "Cancelled": "cancelled"}
