"""The catalogue as agents keep it in Salesforce: implements CatalogGateway."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast, get_args

from portal_app.domain.catalog.plan import CatalogItem, Category, Cycle, ItemClass
from portal_app.domain.identifiers import salesforce_id
from portal_app.domain.money import Money
from portal_app.infra.settings import Settings
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.responses import read_each

_DETAILS = {
    "Internet_Plan_Tier__c": "Tier",
    "Internet_Offering_Type__c": "Line",
    "VPN_Region__c": "Region",
    "SIM_Data_Size__c": "Data",
    "SIM_Plan_Type__c": "Kind",
}
_DATA_SIZE = re.compile(r"\s*(\d{1,6})\s*(GB|MB)\s*", re.ASCII | re.IGNORECASE)
_CONDITION, _OFFERING = "Eligibility_Condition__c", "Internet_Offering_Type__c"
_ITEMS = """
SELECT Id, UnitPrice, Product2.Id, Product2.Name, Product2.Description, Product2.StockKeepingUnit,
  Product2.Item_Class__c, Product2.Billing_Cycle__c, Product2.Product_Category__c, Product2.Portal_Catalog__c,
  Product2.Portal_Accessible__c, Product2.Auto_Add__c, Product2.Display_Order__c, Product2.WH_Product_ID__c,
  Product2.Internet_Plan_Tier__c, Product2.Internet_Offering_Type__c, Product2.VPN_Region__c,
  Product2.SIM_Data_Size__c, Product2.SIM_Plan_Type__c, Product2.SIM_Has_Family_Discount__c,
  Product2.Freebit_Plan_Code__c,
  Product2.Required_Products__c, Product2.Dependent_Products__c, Product2.Mutually_Exclusive__c,
  Product2.Eligibility_Condition__c, IsActive, Product2.IsActive
FROM PricebookEntry
WHERE Pricebook2Id = {pricebook}
"""
_QUERY = " ".join(_ITEMS.split())


class SalesforceCatalog:
    """Read the products of the portal's price book."""

    def __init__(self, client: SalesforceClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    async def items(self) -> list[CatalogItem]:
        """Return every item with a price, in display order; an entry we cannot read is left out and logged."""
        found = await self._client.query(_QUERY, pricebook=self._settings.portal_pricebook_id)
        return sorted(read_each(found, _item, listing="catalogue"), key=lambda item: (item.order, item.name))


def _item(row: Mapping[str, Any]) -> CatalogItem:
    product = row["Product2"]
    return CatalogItem(
        sku=_required(product, "StockKeepingUnit"),
        name=_required(product, "Name"),
        category=cast(Category, _one_of(product, "Product_Category__c", get_args(Category))),
        item_class=cast(ItemClass, _one_of(product, "Item_Class__c", get_args(ItemClass))),
        cycle=cast(Cycle, _one_of(product, "Billing_Cycle__c", get_args(Cycle))),
        price=Money.parse(str(row["UnitPrice"])),
        product_id=salesforce_id(_required(product, "Id")),
        pricebook_entry_id=salesforce_id(_required(row, "Id")),
        whmcs_product_id=_whole(product.get("WH_Product_ID__c")),
        choosable=bool(product.get("Portal_Catalog__c")),
        orderable=bool(product.get("Portal_Accessible__c")),
        auto_add=bool(product.get("Auto_Add__c")),
        order=_whole(product.get("Display_Order__c")) or 0,
        description=str(product.get("Description") or ""),
        details=tuple((label, str(product[name])) for name, label in _DETAILS.items() if product.get(name)),
        required=_skus(product, "Required_Products__c"),
        dependent=_skus(product, "Dependent_Products__c"),
        exclusive=_skus(product, "Mutually_Exclusive__c"),
        conditions=_conditions(product),
        offering=str(product.get("Internet_Offering_Type__c") or ""),
        tier=str(product.get("Internet_Plan_Tier__c") or ""),
        region=str(product.get("VPN_Region__c") or ""),
        has_voice=product.get("SIM_Plan_Type__c") == "DataSmsVoice",
        is_family=bool(product.get("SIM_Has_Family_Discount__c")),
        sim_plan_code=str(product.get("Freebit_Plan_Code__c") or ""),
        sim_data_mb=_megabytes(product.get("SIM_Data_Size__c")),
        is_sold=bool(row.get("IsActive")) and bool(product.get("IsActive")),
    )


def _required(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is missing")
    return value


def _one_of(row: Mapping[str, Any], name: str, words: tuple[str, ...]) -> str:
    word = _required(row, name).lower()
    if word not in words:
        raise ValueError(f"{name} is unknown")
    return word


def _skus(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Read a list of SKUs that agents keep as JSON in a text field."""
    skus = json.loads(row.get(name) or "[]")
    if not isinstance(skus, list) or not all(isinstance(sku, str) for sku in skus):
        raise ValueError(f"{name} is no list of SKUs")
    return tuple(skus)


def _conditions(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Read which offer types an address needs: {"Internet_Offering_Type__c": ["Home 1G"]}, of internet products.

    Whatever else a condition may ask cannot be checked here, so nothing is sold on it. Raises ValueError.
    """
    asked = json.loads(row.get(_CONDITION) or "{}")
    if not asked:
        return ()
    if not isinstance(asked, dict) or set(asked) != {_OFFERING} or row.get("Product_Category__c") != "Internet":
        raise ValueError(f"{_CONDITION} is none the portal can check")
    offers = asked[_OFFERING] if isinstance(asked[_OFFERING], list) else [asked[_OFFERING]]
    if not offers or not all(isinstance(offer, str) and offer for offer in offers):
        raise ValueError(f"{_CONDITION} names no offer types")
    return tuple(offers)


def _megabytes(size: object) -> int | None:
    """Read an amount of data such as 5GB or 500 MB; None for anything else. A GB is 1024 MB."""
    found = _DATA_SIZE.fullmatch(str(size or ""))
    return int(found[1]) * (1024 if found[2].upper() == "GB" else 1) if found else None


def _whole(value: object) -> int | None:
    """Read a Salesforce number, which may come as 12, 12.0 or text."""
    if value is None or value == "":
        return None
    number = Decimal(str(value))
    if number != number.to_integral_value():
        raise ValueError("not a whole number")
    return int(number)
