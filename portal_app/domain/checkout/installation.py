"""Payment of an installation: in full, or in instalments with exactly the same total."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal_app.domain.catalog.plan import CatalogItem, Plan
from portal_app.domain.checkout.options import INSTALLATIONS, Installation
from portal_app.domain.money import Money

# The number of payments of each option.
PAYMENTS: dict[Installation, int] = {"single": 1, "12m": 12, "24m": 24}


@dataclass(frozen=True, slots=True)
class InstallationChoice:
    """One payment option: a first payment of `first`, then `count - 1` payments of `each`."""

    key: Installation
    sku: str
    count: int
    first: Money
    each: Money

    @property
    def total(self) -> Money:
        """The sum of all payments, without tax."""
        return self.first + self.each * (self.count - 1)


def split(total: Money, count: int) -> tuple[Money, Money]:
    """Return the first payment and each later one of `count` payments; the first includes the remainder."""
    each = Money(total.minor // count, total.currency)
    return total - each * (count - 1), each


def installation_choices(plan: Plan) -> list[InstallationChoice]:
    """Return the payment options of a plan's installation, without instalments that do not add up to the full price."""
    known = {item.sku: item for item in (*plan.included, *plan.extras, *plan.hidden)}
    found = [_choice(key, known[sku], known) for key, sku in INSTALLATIONS.items() if _is_offered(plan, sku)]
    choices = [choice for choice in found if choice is not None]
    single = next((choice for choice in choices if choice.key == "single"), None)
    return [choice for choice in choices if single is None or choice.total == single.total]


def unequal_instalments(plan: Plan) -> list[str]:
    """Return the SKUs of instalments left out because their prices in the catalogue do not add up; for an alert."""
    shown = {choice.sku for choice in installation_choices(plan)}
    return [sku for sku in INSTALLATIONS.values() if _is_offered(plan, sku) and sku not in shown]


def _is_offered(plan: Plan, sku: str) -> bool:
    return any(item.sku == sku and item.is_billed_alike for item in plan.extras)


def _choice(key: Installation, item: CatalogItem, known: dict[str, CatalogItem]) -> InstallationChoice | None:
    """Return the option of an item with its one-time part; None if its cycle contradicts the number of payments."""
    count = PAYMENTS[key]
    if (item.cycle == "monthly") != (count > 1):
        return None
    one_time = _one_time_part(item, known)
    return None if one_time is None else InstallationChoice(key, item.sku, count, item.price + one_time, item.price)


def _one_time_part(item: CatalogItem, known: dict[str, CatalogItem]) -> Money | None:
    required: Sequence[CatalogItem] = [known[sku] for sku in item.required if sku in known]
    if len(required) < len(item.required) or any(each.cycle != "onetime" for each in required):
        return None
    return Money.total((each.price for each in required), item.price.currency)
