"""What a row of WHMCS's services is: judged by its product, and by nothing a translator or an agent may reword.

The rule, first match wins:

1. Billed once (`One Time`): a fee.
2. The product is in the catalogue (by its WHMCS product id): a service is a line, an add-on is an add-on; an
   installation or activation is an instalment where it is billed again and again, otherwise a fee.
3. The product is in no catalogue: a line. Its category follows from its WHMCS product group, otherwise it is "other".

Lines and add-ons are services. Fees and instalments are not: they are not listed, cancelled or renewed, and they do not
count where a customer must have a line.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from portal_app.domain.catalog.plan import CatalogItem, Category, ItemClass
from portal_app.domain.subscriptions.billing_cycle import BillingCycle

ServiceKind = Literal["line", "add-on", "instalment", "fee"]
_CLASS_KINDS: dict[ItemClass, ServiceKind] = {
    "service": "line",
    "add-on": "add-on",
    "installation": "instalment",
    "activation": "instalment",
}
# Whole words: "Simple hosting" is not a SIM.
_GROUP_WORDS: tuple[tuple[re.Pattern[str], Category], ...] = (
    (re.compile(r"\b(e?sims?|mobile)\b", re.IGNORECASE), "sim"),
    (re.compile(r"\bvpns?\b", re.IGNORECASE), "vpn"),
    (re.compile(r"\b(internet|fib(er|re)|hikari)\b", re.IGNORECASE), "internet"),
)


@dataclass(frozen=True, slots=True)
class ProductClass:
    """What the catalogue says of a WHMCS product."""

    item_class: ItemClass
    category: Category


def product_classes(items: Iterable[CatalogItem]) -> dict[int, ProductClass]:
    """Return what the catalogue says of each WHMCS product; of several items of one product, one that is sold."""
    ordered = sorted(items, key=lambda item: item.is_sold)
    return {
        item.whmcs_product_id: ProductClass(item.item_class, item.category)
        for item in ordered
        if item.whmcs_product_id is not None
    }


def kind_of(product: ProductClass | None, cycle: BillingCycle) -> ServiceKind:
    """Return the kind of a service of a product in a billing cycle."""
    if cycle is BillingCycle.ONE_TIME:
        return "fee"
    kind = _CLASS_KINDS[product.item_class] if product else "line"
    return "fee" if kind == "instalment" and not cycle.is_recurring else kind


def category_of(product: ProductClass | None, group: str) -> Category:
    """Return the category of a service of a product; `group` is its WHMCS product group, untranslated."""
    if product is not None:
        return product.category
    return next((category for words, category in _GROUP_WORDS if words.search(group)), "other")
