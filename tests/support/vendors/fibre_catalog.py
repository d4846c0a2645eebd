"""A fibre line's catalogue, and the answers that order it."""

from dataclasses import replace

from portal_app.domain.catalog.plan import CatalogItem, Plan, plans_of
from portal_app.domain.internet.eligibility import address_id
from portal_app.domain.money import Money
from portal_app.domain.profile.address import Address
from tests.support.values.people import ADDRESS
from tests.support.vendors.fake_vendors import PLAN

HOME = Address.parse(ADDRESS)
INSTALLS = ("INTERNET-INSTALL-SINGLE", "INTERNET-INSTALL-12M", "INTERNET-INSTALL-24M")
CONFIRMED = {"confirmed": "on", "address_id": address_id(HOME)}
CONNECTION = {"access_mode": "ipoe_home_gateway", "installation": "12m", "weekend": "on"}
PHONE = {"home_phone": "on", "line": "switch", "switch_number": "f 12345-67890"}
ANSWERS = {"address": CONFIRMED, "connection": CONNECTION, "phone": PHONE}


def item(sku: str, minor: int, place: int, **changes: object) -> CatalogItem:
    """Return an item of the internet catalogue, monthly unless given otherwise."""
    new = replace(PLAN, sku=sku, name=sku, category="internet", price=Money(minor), whmcs_product_id=place, order=place)
    return replace(new, **changes)  # type: ignore[arg-type]


def catalogue(*, single: int = 22800, twelfth: int = 1900, rest: int = 0) -> list[CatalogItem]:
    """Return a plan with its extras; `rest` is paid once on top of twelve payments."""
    others = [tuple(sku for sku in INSTALLS if sku != own) for own in INSTALLS]
    extra = {"item_class": "installation"}
    once = extra | {"cycle": "onetime"}
    required = ("INTERNET-INSTALL-12M-REST",) if rest else ()
    return [
        item("INTERNET-GOLD", 5800, 11, offering="Home 1G", tier="Gold", dependent=INSTALLS),
        item(INSTALLS[0], single, 12, exclusive=others[0], **once),
        item(INSTALLS[1], twelfth, 13, exclusive=others[1], required=required, **extra),
        item(INSTALLS[2], 950, 14, exclusive=others[2], **extra),
        item("INTERNET-INSTALL-12M-REST", rest, 15, choosable=False, **once),
        item("INTERNET-INSTALL-WEEKEND", 3000, 16, **once),
        item(
            "INTERNET-ADDON-HIKARI-DENWA", 450, 17, item_class="add-on",
            required=("INTERNET-ADDON-HIKARI-DENWA-INSTALL",),
        ),
        item("INTERNET-ADDON-HIKARI-DENWA-INSTALL", 1000, 18, choosable=False, **once),
        item("INTERNET-LEFTOVER", 1, 19, choosable=False, orderable=False),
    ]  # fmt: skip


def plan(**prices: int) -> Plan:
    """Return the one plan of that catalogue."""
    return plans_of(catalogue(**prices), "internet")[0]
