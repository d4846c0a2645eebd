"""Prices as a customer reads them, with and without tax."""

from dataclasses import dataclass
from decimal import Decimal

from portal_app.domain.catalog.plan import CatalogItem
from portal_app.domain.money import Money
from portal_app.domain.orders.order import OrderLine
from portal_app.language import _
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class LineRow:
    """One thing bought, its price without tax."""

    name: str
    price: str
    period: str


def line_row(line: OrderLine | CatalogItem) -> LineRow:
    """Return one thing bought, as checkout and order show it."""
    return LineRow(line.name, str(line.price), _("a month") if line.cycle == "monthly" else _("once"))


def taxed(amount: Money) -> Money:
    """Return an amount with consumption tax."""
    return amount.with_tax(Decimal(portal().settings.tax_percent))


def with_tax(amount: Money) -> str:
    """Return the words for an amount with tax."""
    return _("{amount} with tax").format(amount=taxed(amount))
