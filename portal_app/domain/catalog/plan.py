"""What we sell: plans, the items that come with them and those that may be added, priced in yen without tax."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from portal_app.domain.errors import InvalidInput
from portal_app.domain.money import Money

Category = Literal["internet", "sim", "vpn", "other"]
ItemClass = Literal["service", "installation", "add-on", "activation"]
Cycle = Literal["monthly", "onetime"]
CATEGORIES: tuple[Category, ...] = ("internet", "sim", "vpn")


@dataclass(frozen=True, slots=True)
class CatalogItem:
    """One product with its price in the portal's price book.

    `choosable`: a customer may pick it (Portal_Catalog__c); `orderable`: it may appear in an order
    (Portal_Accessible__c), so a hidden fee is the one without the other. `auto_add`: comes along with any service of
    its category. `required` SKUs always come along with this one, one of the `dependent` SKUs is to be chosen with it,
    `exclusive` ones cannot stand beside it. `conditions`: the offer types of which an address must have one
    (Eligibility_Condition__c). `is_billed_alike`: WHMCS bills the same amount in the same cycle.
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
    required: tuple[str, ...] = ()
    dependent: tuple[str, ...] = ()
    exclusive: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    offering: str = ""
    tier: str = ""
    region: str = ""
    has_voice: bool = False
    is_family: bool = False
    is_billed_alike: bool = True

    @property
    def offers(self) -> tuple[str, ...]:
        """The offer types of which an address must have one: its own unless a condition says more; none: anywhere."""
        return self.conditions or ((self.offering,) if self.offering else ())

    def is_offered_with(self, found: Collection[str]) -> bool:
        """Say whether it can be had where an agent found these offer types."""
        return not self.offers or not set(self.offers).isdisjoint(found)


class Priced(Protocol):
    """Whatever has a price per month or once."""

    @property
    def cycle(self) -> Cycle: ...

    @property
    def price(self) -> Money: ...


def monthly_of(items: Iterable[Priced]) -> Money:
    """Return what items cost each month, without tax."""
    return Money.total(item.price for item in items if item.cycle == "monthly")


def one_time_of(items: Iterable[Priced]) -> Money:
    """Return what items cost once, without tax."""
    return Money.total(item.price for item in items if item.cycle == "onetime")


@dataclass(frozen=True, slots=True)
class Plan:
    """A service a customer can choose, what is always billed with it, and what may be added (`extras`)."""

    service: CatalogItem
    included: tuple[CatalogItem, ...] = ()
    extras: tuple[CatalogItem, ...] = ()
    hidden: tuple[CatalogItem, ...] = field(default=(), repr=False)

    @property
    def items(self) -> tuple[CatalogItem, ...]:
        """What every order of this plan holds."""
        return (self.service, *self.included)

    @property
    def monthly(self) -> Money:
        """What is billed each month, without tax."""
        return monthly_of(self.items)

    @property
    def one_time(self) -> Money:
        """What is billed once, without tax."""
        return one_time_of(self.items)

    @property
    def is_orderable(self) -> bool:
        """Say whether it can be ordered here: a kind we sell, billed as it is shown, with a way to be set up."""
        ways = [item for item in self.extras if item.sku in self.service.dependent and item.is_billed_alike]
        is_billed_alike = all(item.is_billed_alike for item in self.items)
        return self.service.category in CATEGORIES and is_billed_alike and (bool(ways) or not self.service.dependent)

    def is_offered_with(self, found: Collection[str]) -> bool:
        """Say whether all of it can be had where an agent found these offer types; a line that names none, nowhere."""
        return bool(self.service.offers) and all(item.is_offered_with(found) for item in self.items)

    def with_offers(self, found: Collection[str]) -> "Plan":
        """Return the plan with those extras only that can be had, with all they require, where this was found."""
        known = {item.sku: item for item in (*self.included, *self.extras, *self.hidden)}
        fitting = {sku: item for sku, item in known.items() if item.is_offered_with(found)}
        return replace(self, extras=tuple(extra for extra in self.extras if _is_whole(extra, fitting)))

    def with_extras(self, skus: Sequence[str]) -> tuple[CatalogItem, ...]:
        """Return all items of an order with these extras; what they require comes along.

        Raises InvalidInput for an extra that is not offered, not billed as shown, or excluded by another.
        """
        known = {item.sku: item for item in (*self.included, *self.extras, *self.hidden)}
        offered = {item.sku for item in self.extras}
        if not offered.issuperset(skus):
            raise InvalidInput({"extras": "This is not offered with your plan."})
        try:
            items = (*self.items, *_closure([known[sku] for sku in skus], known))
        except KeyError as error:
            raise InvalidInput({"extras": "This cannot be ordered at the moment."}) from error
        chosen = list({item.sku: item for item in items}.values())
        _check_together(chosen)
        return tuple(chosen)


def plans_of(items: Sequence[CatalogItem], category: Category) -> list[Plan]:
    """Put the choosable services of a category together with what comes along, in display order.

    A plan that requires what is not to be had is left out.
    """
    own = sorted((item for item in items if item.category == category and item.orderable), key=lambda i: i.order)
    return [
        plan
        for item in own
        if item.item_class == "service" and item.choosable and (plan := _plan(item, own)) is not None
    ]


def _plan(service: CatalogItem, own: Sequence[CatalogItem]) -> Plan | None:
    beside = {item.sku: item for item in own if item.item_class != "service"}
    along = [item for item in beside.values() if item.auto_add]
    try:
        included = _closure([*along, *(beside[sku] for sku in service.required)], beside)
    except KeyError:
        return None
    taken = {item.sku for item in included}
    others = [item for item in beside.values() if item.sku not in taken]
    extras = tuple(item for item in others if item.choosable and _may_be_added(item, service))
    return Plan(service, tuple(included), extras, tuple(item for item in others if item not in extras))


def _may_be_added(extra: CatalogItem, service: CatalogItem) -> bool:
    """Voice options need a voice line; what a plan excludes is not offered with it."""
    needs_voice = service.category == "sim" and extra.item_class == "add-on"
    return extra.sku not in service.exclusive and (service.has_voice or not needs_voice)


def _closure(items: Iterable[CatalogItem], known: dict[str, CatalogItem]) -> list[CatalogItem]:
    """Return items with everything they require, each once. Raises KeyError for what is not to be had."""
    found: dict[str, CatalogItem] = {}
    waiting = list(items)
    while waiting:
        item = waiting.pop(0)
        if item.sku not in found:
            found[item.sku] = item
            waiting += [known[sku] for sku in item.required if sku not in found]
    return sorted(found.values(), key=lambda item: item.order)


def _is_whole(item: CatalogItem, known: dict[str, CatalogItem]) -> bool:
    try:
        return bool(_closure([known[item.sku]], known))
    except KeyError:
        return False


def _check_together(items: Sequence[CatalogItem]) -> None:
    skus = {item.sku for item in items}
    for item in items:
        if skus.intersection(item.exclusive):
            raise InvalidInput({"extras": "These cannot be ordered together."})
        if item.dependent and not skus.intersection(item.dependent):
            raise InvalidInput({"extras": "Choose how this is to be set up."})
        if not item.is_billed_alike:
            raise InvalidInput({"extras": "This cannot be ordered at the moment."})
