"""Values of the domain that many tests need, each complete and ordinary; a test names what is special about its own."""

from dataclasses import replace
from typing import Any

from portal_app.domain.catalog.plan import CatalogItem
from portal_app.domain.money import Money

_VPN = CatalogItem(
    sku="VPN-1",
    name="VPN Tokyo",
    category="vpn",
    item_class="service",
    cycle="monthly",
    price=Money(980),
    product_id="p1",
    pricebook_entry_id="e1",
    whmcs_product_id=1,
    choosable=True,
    orderable=True,
    auto_add=False,
    order=1,
)


def catalog_item(**changes: Any) -> CatalogItem:
    """Return a VPN that is paid by the month, with some fields changed."""
    return replace(_VPN, **changes)
