"""How the API shows plans."""

from decimal import Decimal

from typing_extensions import TypedDict

from portal_app.api.http.money import Amount, amount
from portal_app.domain.catalog.plan import CatalogItem, Plan


class ItemView(TypedDict):
    """Something that comes with a plan or may be added to it; the price is without tax."""

    sku: str
    name: str
    item_class: str
    cycle: str
    price: Amount


class PlanView(TypedDict):
    """A plan; prices are without tax. `is_orderable` is false while it cannot be ordered here.

    Family plans are for customers who have a SIM line.
    """

    sku: str
    name: str
    description: str
    details: dict[str, str]
    monthly: Amount
    one_time: Amount
    monthly_with_tax: Amount
    one_time_with_tax: Amount
    is_orderable: bool
    is_family: bool
    offers: list[str]
    included: list[ItemView]
    extras: list[ItemView]


class PlanList(TypedDict):
    """The plans of one category in display order."""

    items: list[PlanView]


def plan(offered: Plan, tax_percent: Decimal) -> PlanView:
    """Show a plan with and without tax; the tax is floored once per sum."""
    return {
        "sku": offered.service.sku,
        "name": offered.service.name,
        "description": offered.service.description,
        "details": dict(offered.service.details),
        "monthly": amount(offered.monthly),
        "one_time": amount(offered.one_time),
        "monthly_with_tax": amount(offered.monthly.with_tax(tax_percent)),
        "one_time_with_tax": amount(offered.one_time.with_tax(tax_percent)),
        "is_orderable": offered.is_orderable,
        "is_family": offered.service.is_family,
        "offers": list(offered.service.offers),
        "included": [_item(item) for item in offered.included],
        "extras": [_item(item) for item in offered.extras],
    }


def _item(item: CatalogItem) -> ItemView:
    return {
        "sku": item.sku,
        "name": item.name,
        "item_class": item.item_class,
        "cycle": item.cycle,
        "price": amount(item.price),
    }
