"""How the API shows plans."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from portal_app.api.http.money import Amount, amount
from portal_app.api.http.resource import From, Resource
from portal_app.domain.catalog.plan import Plan


@dataclass
class ItemView(Resource):
    """Something that comes with a plan or may be added to it; the price is without tax."""

    sku: str
    name: str
    item_class: str
    cycle: str
    price: Amount


@dataclass
class PlanView(Resource):
    """A plan; prices are without tax. `is_orderable` is false while it cannot be ordered here.

    Family plans are for customers who have a SIM line.
    """

    sku: Annotated[str, From("service.sku")]
    name: Annotated[str, From("service.name")]
    description: Annotated[str, From("service.description")]
    details: Annotated[dict[str, str], From("service.details")]
    monthly: Amount
    one_time: Amount
    monthly_with_tax: Amount
    one_time_with_tax: Amount
    is_orderable: bool
    is_family: Annotated[bool, From("service.is_family")]
    offers: Annotated[list[str], From("service.offers")]
    included: list[ItemView]
    extras: list[ItemView]


@dataclass
class PlanList(Resource):
    """The plans of one category in display order."""

    items: list[PlanView]


def plan_view(plan: Plan, tax_percent: Decimal) -> PlanView:
    """Return a plan with and without tax; the tax is floored once per sum."""
    return PlanView.from_domain(
        plan,
        monthly_with_tax=amount(plan.monthly.with_tax(tax_percent)),
        one_time_with_tax=amount(plan.one_time.with_tax(tax_percent)),
    )
