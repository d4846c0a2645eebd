"""What we sell: plans and the items that come with them, priced in yen without tax."""

from dataclasses import dataclass
from typing import Literal

from portal_app.domain.money import Money

Category = Literal["internet", "sim", "vpn", "other"]
ItemClass = Literal["service", "installation", "add-on", "activation"]
Cycle = Literal["monthly", "onetime"]
CATEGORIES: tuple[Category, ...] = ("internet", "sim", "vpn")


@dataclass(frozen=True, slots=True)
class CatalogItem:
    """One product with its price in the portal's price book.

    `choosable`: a customer may pick it (Portal_Catalog__c); `orderable`: it may appear in an order
    (Portal_Accessible__c). `auto_add`: comes along with any service of its category.
    """

    sku: str
    name: str
    category: Category
    item_class: ItemClass
    cycle: Cycle
    price: Money
    product_id: str
    pricebook_entry_id: str
    whmcs_product_id: int | None
    choosable: bool
    orderable: bool
    auto_add: bool
    order: int
    description: str = ""
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A service a customer can choose, with the items that are always billed with it."""

    service: CatalogItem
    included: tuple[CatalogItem, ...] = ()

    @property
    def items(self) -> tuple[CatalogItem, ...]:
        """Everything an order of this plan holds."""
        return (self.service, *self.included)

    @property
    def monthly(self) -> Money:
        """What is billed each month, without tax."""
        return Money.total(item.price for item in self.items if item.cycle == "monthly")

    @property
    def one_time(self) -> Money:
        """What is billed once, without tax."""
        return Money.total(item.price for item in self.items if item.cycle == "onetime")


def plans_of(items: list[CatalogItem], category: Category) -> list[Plan]:
    """Put the choosable services of a category together with what comes along, in display order."""
    own = sorted((item for item in items if item.category == category and item.orderable), key=lambda i: i.order)
    along = tuple(item for item in own if item.auto_add and item.item_class != "service")
    return [Plan(item, along) for item in own if item.item_class == "service" and item.choosable]
