"""Domain objects as Salesforce records and back, in the org's field names."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from portal_app.domain.catalog.plan import Category
from portal_app.domain.identifiers import salesforce_id
from portal_app.domain.money import Money
from portal_app.domain.orders.order import NewSalesforceOrder, OrderLine, SalesforceOrder
from portal_app.domain.profile.address import Address
from portal_app.domain.profile.customer import Profile
from portal_app.domain.profile.profile import ProfileChange
from portal_app.integrations.salesforce.order_fields import options_of
from portal_app.language.format import JAPAN

ORDER_FIELDS = (
    "Id",
    "Portal_Order_Id__c",
    "AccountId",
    "Status",
    "Activation_Status__c",
    "WHMCS_Order_ID__c",
    "Order_Type__c",
    "Activation_Error_Code__c",
    "CreatedDate",
)
_ORDER_TYPES: dict[Category, str] = {"internet": "Internet", "sim": "SIM", "vpn": "VPN", "other": "Other"}

_ELIGIBILITY_RESET = {
    "Internet_Eligibility_Status__c": "Not Requested",
    "Internet_Eligibility__c": None,
    "Internet_Eligibility_Requested_At__c": None,
    "Internet_Eligibility_Checked_At__c": None,
    "Internet_Eligibility_Note__c": None,
}


def account_of(profile: Profile, whmcs_client_id: int) -> dict[str, Any]:
    """Return the account's fields that the portal owns; the agents' fields are left alone."""
    return {
        "Name": profile.full_name,
        "WH_Account__c": f"#{whmcs_client_id} - {profile.full_name}",
        "Portal_Status__c": "Active",
        "Portal_Registration_Source__c": "New Signup",
        "Phone": profile.phone,
        **_billing_address(profile.address),
    }


def contact_of(profile: Profile) -> dict[str, Any]:
    """Return the contact's fields."""
    return {
        "FirstName": profile.first_name,
        "LastName": profile.last_name,
        "FirstName_Kana__c": profile.first_name_kana or None,
        "LastName_Kana__c": profile.last_name_kana or None,
        "Email": profile.email,
        "MobilePhone": profile.phone,
    }


def account_change(change: ProfileChange, whmcs_client_id: int) -> dict[str, Any]:
    """Return what a change does to the account; internet plans depend on the building, so a new one is checked anew."""
    fields: dict[str, Any] = {}
    if change.first_name is not None and change.last_name is not None:
        name = f"{change.first_name} {change.last_name}"
        fields |= {"Name": name, "WH_Account__c": f"#{whmcs_client_id} - {name}"}
    if change.phone is not None:
        fields["Phone"] = change.phone
    if change.address is not None:
        fields |= _billing_address(change.address) | _ELIGIBILITY_RESET
    return fields


def contact_change(change: ProfileChange) -> dict[str, Any]:
    """Return what a change does to the contact."""
    wanted = {
        "FirstName": change.first_name,
        "LastName": change.last_name,
        "Email": change.email,
        "MobilePhone": change.phone,
    }
    fields: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    kana = {"FirstName_Kana__c": change.first_name_kana, "LastName_Kana__c": change.last_name_kana}
    # An emptied reading is null there, not an empty text.
    return fields | {name: value or None for name, value in kana.items() if value is not None}


def new_order_of(order: NewSalesforceOrder, *, pricebook_id: str) -> dict[str, Any]:
    """Return a new order, waiting for review; its date is the business day in Japan."""
    return {
        "Portal_Order_Id__c": str(order.order_id),
        "AccountId": salesforce_id(order.account_id),
        "EffectiveDate": order.placed_at.astimezone(JAPAN).date().isoformat(),
        "Pricebook2Id": salesforce_id(pricebook_id),
        "Status": "Pending Review",
        "Activation_Status__c": "Not Started",
        "Order_Type__c": _ORDER_TYPES[order.category],
        **(_billing_address(order.address) if order.address else {}),
        **(options_of(order.options) if order.options else {}),
    }


def item_of(line: OrderLine) -> dict[str, Any]:
    """Return one line of an order at the price agreed."""
    return {
        "PricebookEntryId": salesforce_id(line.pricebook_entry_id),
        "Quantity": 1,
        "UnitPrice": _whole_units(line.price),
    }


def order_of(row: Mapping[str, Any]) -> SalesforceOrder:
    """Read an order. Raises ValueError or KeyError."""
    kind = str(row.get("Order_Type__c") or "").lower()
    category = kind if kind in _ORDER_TYPES else "other"
    return SalesforceOrder(
        id=salesforce_id(str(row["Id"])),
        portal_order_id=str(row.get("Portal_Order_Id__c") or ""),
        account_id=salesforce_id(str(row["AccountId"])),
        status=str(row.get("Status") or ""),
        activation_status=str(row.get("Activation_Status__c") or ""),
        whmcs_order_id=str(row.get("WHMCS_Order_ID__c") or ""),
        category=category,
        error_code=str(row.get("Activation_Error_Code__c") or ""),
        created_at=_moment(row.get("CreatedDate")),
    )


def line_of(row: Mapping[str, Any]) -> OrderLine:
    """Read one line of an order. Raises ValueError or KeyError."""
    entry = row["PricebookEntry"]
    product = entry["Product2"]
    number = product.get("WH_Product_ID__c")
    return OrderLine(
        sku=str(product["StockKeepingUnit"] or ""),
        name=str(product["Name"]),
        cycle="onetime" if product.get("Billing_Cycle__c") == "Onetime" else "monthly",
        price=Money.parse(str(row["UnitPrice"])),
        pricebook_entry_id=salesforce_id(str(row["PricebookEntryId"])),
        whmcs_product_id=int(number) if number else None,
    )


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None


def _billing_address(address: Address) -> dict[str, str]:
    return {
        "BillingStreet": address.japanese_street(),
        "BillingCity": address.city,
        "BillingState": address.prefecture,
        "BillingPostalCode": address.postcode,
        "BillingCountry": "日本",
    }


def _whole_units(price: Money) -> int:
    if price.currency != "JPY":
        raise ValueError("the price book is in yen")
    return price.minor
