"""Plans and their items: what is included, what can be added, and what they cost in yen without tax."""

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

    `choosable`: customers can select it (Portal_Catalog__c). `orderable`: it can be part of an order
    (Portal_Accessible__c); a hidden fee is orderable but not choosable. `auto_add`: included in every service of its
    category. `required` SKUs are ordered together with this item, one of the `dependent` SKUs must be selected with
    it, and `exclusive` SKUs cannot be ordered with it. `conditions`: the address must have one of these offer types
    (Eligibility_Condition__c). `is_billed_alike`: WHMCS bills the same amount in the same cycle. `is_sold`: it is on
    sale; what is not any more still says what the services of earlier customers are. `sim_plan_code` is the carrier's
    code of a SIM plan, `sim_data_mb` its data per month, None where unknown.
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
    sim_plan_code: str = ""
    sim_data_mb: int | None = None
    is_billed_alike: bool = True
    is_sold: bool = True

    @property
    def offers(self) -> tuple[str, ...]:
        """The offer types of which the address must have one; empty if the item is available at any address."""
        return self.conditions or ((self.offering,) if self.offering else ())

    def is_offered_with(self, found: Collection[str]) -> bool:
        """Return whether the item is available at an address with these offer types."""
        return not self.offers or not set(self.offers).isdisjoint(found)


class Priced(Protocol):
    """Anything with a monthly or one-time price."""

    @property
    def cycle(self) -> Cycle: ...

    @property
    def price(self) -> Money: ...


def monthly_of(items: Iterable[Priced]) -> Money:
    """Return the monthly total of items, without tax."""
    return Money.total(item.price for item in items if item.cycle == "monthly")


def one_time_of(items: Iterable[Priced]) -> Money:
    """Return the one-time total of items, without tax."""
    return Money.total(item.price for item in items if item.cycle == "onetime")


@dataclass(frozen=True, slots=True)
class Plan:
    """A service, the items always billed with it, and the `extras` that can be added.

    `hidden` items cannot be selected; they are ordered only if a selected extra requires them.
    """

    service: CatalogItem
    included: tuple[CatalogItem, ...] = ()
    extras: tuple[CatalogItem, ...] = ()
    hidden: tuple[CatalogItem, ...] = field(default=(), repr=False)

    @property
    def items(self) -> tuple[CatalogItem, ...]:
        """The items of every order of this plan."""
        return (self.service, *self.included)

    @property
    def monthly(self) -> Money:
        """The monthly total, without tax."""
        return monthly_of(self.items)

    @property
    def one_time(self) -> Money:
        """The one-time total, without tax."""
        return one_time_of(self.items)

    @property
    def is_orderable(self) -> bool:
        """Return whether the plan can be ordered online.

        Its category is sold online, WHMCS bills the price shown, and at least one installation is available if the
        plan needs one.
        """
        installations = [item for item in self.extras if item.sku in self.service.dependent and item.is_billed_alike]
        is_billed_alike = all(item.is_billed_alike for item in self.items)
        is_installable = bool(installations) or not self.service.dependent
        return self.service.category in CATEGORIES and is_billed_alike and is_installable

    def is_offered_with(self, found: Collection[str]) -> bool:
        """Return whether all items are available at an address with these offer types.

        A service that names no offer type is available nowhere.
        """
        return bool(self.service.offers) and all(item.is_offered_with(found) for item in self.items)

    def with_offers(self, found: Collection[str]) -> "Plan":
        """Return the plan without the extras that are not available, with all they require, for these offer types."""
        known = {item.sku: item for item in (*self.included, *self.extras, *self.hidden)}
        available = {sku: item for sku, item in known.items() if item.is_offered_with(found)}
        return replace(self, extras=tuple(extra for extra in self.extras if _is_complete(extra, available)))

    def with_extras(self, skus: Sequence[str]) -> tuple[CatalogItem, ...]:
        """Return all items of an order with these extras and the items they require.

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
        _check_combination(chosen)
        return tuple(chosen)


def plans_of(items: Sequence[CatalogItem], category: Category) -> list[Plan]:
    """Return the plans of a category in display order.

    A plan that requires an item missing from the catalogue is left out.
    """
    available = sorted((item for item in items if item.category == category and item.orderable), key=lambda i: i.order)
    return [
        plan
        for item in available
        if item.item_class == "service" and item.choosable and (plan := _plan(item, available)) is not None
    ]


def _plan(service: CatalogItem, available: Sequence[CatalogItem]) -> Plan | None:
    addons = {item.sku: item for item in available if item.item_class != "service"}
    automatic = [item for item in addons.values() if item.auto_add]
    try:
        included = _closure([*automatic, *(addons[sku] for sku in service.required)], addons)
    except KeyError:
        return None
    taken = {item.sku for item in included}
    others = [item for item in addons.values() if item.sku not in taken]
    extras = tuple(item for item in others if item.choosable and _may_be_added(item, service))
    return Plan(service, tuple(included), extras, tuple(item for item in others if item not in extras))


def _may_be_added(extra: CatalogItem, service: CatalogItem) -> bool:
    """Return whether an item can be an extra: voice options need a voice line, and the plan must not exclude it."""
    needs_voice = service.category == "sim" and extra.item_class == "add-on"
    return extra.sku not in service.exclusive and (service.has_voice or not needs_voice)


def _closure(items: Iterable[CatalogItem], known: dict[str, CatalogItem]) -> list[CatalogItem]:
    """Return items with everything they require, each once. Raises KeyError for a required SKU that is not known."""
    found: dict[str, CatalogItem] = {}
    queue = list(items)
    while queue:
        item = queue.pop(0)
        if item.sku not in found:
            found[item.sku] = item
            queue += [known[sku] for sku in item.required if sku not in found]
    return sorted(found.values(), key=lambda item: item.order)


def _is_complete(item: CatalogItem, known: dict[str, CatalogItem]) -> bool:
    try:
        return bool(_closure([known[item.sku]], known))
    except KeyError:
        return False


def _check_combination(items: Sequence[CatalogItem]) -> None:
    skus = {item.sku for item in items}
    for item in items:
        if skus.intersection(item.exclusive):
            raise InvalidInput({"extras": "These cannot be ordered together."})
        if item.dependent and not skus.intersection(item.dependent):
            raise InvalidInput({"extras": "Choose how this is to be set up."})
        if not item.is_billed_alike:
            raise InvalidInput({"extras": "This cannot be ordered at the moment."})
