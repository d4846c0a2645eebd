"""Paying for an installation: at once, or in instalments that add up to exactly the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal_app.domain.catalog.plan import CatalogItem, Plan
from portal_app.domain.checkout.options import INSTALLATIONS, Installation
from portal_app.domain.money import Money

# How often each way is billed; the catalogue's cycle says whether that is once or each month.
PAYMENTS: dict[Installation, int] = {"single": 1, "12m": 12, "24m": 24}


@dataclass(frozen=True, slots=True)
class InstallationChoice:
    """One way to pay. The first payment is `first`, each of the `count - 1` later ones `each`."""

    key: Installation
    sku: str
    count: int
    first: Money
    each: Money

    @property
    def total(self) -> Money:
        """What is paid in all, without tax."""
        return self.first + self.each * (self.count - 1)


def split(total: Money, count: int) -> tuple[Money, Money]:
    """Return the first and every later one of so many payments that add up to a total; the first takes the rest."""
    each = Money(total.minor // count, total.currency)
    return total - each * (count - 1), each


def installation_choices(plan: Plan) -> list[InstallationChoice]:
    """Return the ways to pay for a plan's installation; instalments that would not add up are not offered."""
    known = {item.sku: item for item in (*plan.included, *plan.extras, *plan.hidden)}
    found = [_choice(key, known[sku], known) for key, sku in INSTALLATIONS.items() if _is_offered(plan, sku)]
    choices = [choice for choice in found if choice is not None]
    single = next((choice for choice in choices if choice.key == "single"), None)
    return [choice for choice in choices if single is None or choice.total == single.total]


def unequal_instalments(plan: Plan) -> list[str]:
    """Return the SKUs of ways to pay that are in the catalogue and left out: somebody has to mend their prices."""
    kept = {choice.sku for choice in installation_choices(plan)}
    return [sku for sku in INSTALLATIONS.values() if _is_offered(plan, sku) and sku not in kept]


def _is_offered(plan: Plan, sku: str) -> bool:
    return any(item.sku == sku and item.is_billed_alike for item in plan.extras)


def _choice(key: Installation, item: CatalogItem, known: dict[str, CatalogItem]) -> InstallationChoice | None:
    """Put an item together with the one-time rest it requires; None where it is billed another way than it says."""
    count = PAYMENTS[key]
    if (item.cycle == "monthly") != (count > 1):
        return None
    rest = _rest(item, known)
    return None if rest is None else InstallationChoice(key, item.sku, count, item.price + rest, item.price)


def _rest(item: CatalogItem, known: dict[str, CatalogItem]) -> Money | None:
    along: Sequence[CatalogItem] = [known[sku] for sku in item.required if sku in known]
    if len(along) < len(item.required) or any(each.cycle != "onetime" for each in along):
        return None
    return Money.total((each.price for each in along), item.price.currency)
