"""The rules of orders, their products and prices."""

from typing import Any

import pytest

from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.tables import STANDARD_PRICEBOOK_ID
from tests.contract.sandbox_salesforce.running import Org


def draft(org: Org, **fields: Any) -> str:
    account_id = org.sandbox.rows.create("Account", {"Name": "A"})
    head = {"AccountId": account_id, "EffectiveDate": "2026-04-01", "Status": "Pending Review"}
    return org.sandbox.rows.create("Order", head | fields)


def cache_entry(org: Org, order_id: str) -> str:
    (item,) = org.sandbox.rows.query(f"SELECT PricebookEntryId FROM OrderItem WHERE OrderId = '{order_id}'")
    return str(item["PricebookEntryId"])


def test_order_cannot_be_born_activated(org: Org) -> None:
    with pytest.raises(SalesforceError, match="FAILED_ACTIVATION"):
        draft(org, Status="Processed")


def test_activation_needs_a_product(org: Org) -> None:
    order_id = draft(org)

    with pytest.raises(SalesforceError, match="An order must have at least one product"):
        org.sandbox.rows.update("Order", order_id, {"Status": "Processed"})


def test_activated_order_is_dated_and_its_products_are_frozen(org: Org) -> None:
    rows = org.sandbox.rows
    order_id = org.order_with_item()
    (item,) = rows.query("SELECT Id FROM OrderItem")

    rows.update("Order", order_id, {"Status": "Processed"})
    rows.update("OrderItem", item["Id"], {"WHMCS_Service_ID__c": "77"})

    order = rows.get("Order", order_id)
    assert order is not None
    assert (order["StatusCode"], order["ActivatedDate"]) == ("Activated", order["LastModifiedDate"])
    with pytest.raises(SalesforceError, match="FIELD_INTEGRITY_EXCEPTION"):
        rows.update("OrderItem", item["Id"], {"UnitPrice": 1})
    with pytest.raises(SalesforceError, match="DELETE_FAILED"):
        rows.delete("OrderItem", item["Id"])
    with pytest.raises(SalesforceError, match="DELETE_FAILED"):
        rows.delete("Order", order_id)


def test_product_needs_the_orders_price_book(org: Org) -> None:
    entry_id = cache_entry(org, org.order_with_item())
    item = {"PricebookEntryId": entry_id, "Quantity": 1, "UnitPrice": 980}
    without_book = draft(org)

    with pytest.raises(SalesforceError, match="different pricebook"):
        org.sandbox.rows.create("OrderItem", item | {"OrderId": without_book})


def test_inactive_price_cannot_be_ordered(org: Org) -> None:
    entry_id = cache_entry(org, org.order_with_item())
    order_id = draft(org, Pricebook2Id=STANDARD_PRICEBOOK_ID)
    org.sandbox.rows.update("PricebookEntry", entry_id, {"IsActive": False})

    with pytest.raises(SalesforceError, match="inactive"):
        item = {"OrderId": order_id, "PricebookEntryId": entry_id, "Quantity": 1, "UnitPrice": 980}
        org.sandbox.rows.create("OrderItem", item)


def test_price_book_is_fixed_once_there_are_products(org: Org) -> None:
    book_id = org.sandbox.rows.create("Pricebook2", {"Name": "Portal", "IsActive": True})

    with pytest.raises(SalesforceError, match="change the price book"):
        org.sandbox.rows.update("Order", org.order_with_item(), {"Pricebook2Id": book_id})


def test_standard_price_comes_first_and_only_once(org: Org) -> None:
    rows = org.sandbox.rows
    book_id = rows.create("Pricebook2", {"Name": "Portal", "IsActive": True})
    product_id = rows.create("Product2", {"Name": "VPN"})
    price = {"Product2Id": product_id, "UnitPrice": 100, "IsActive": True}

    with pytest.raises(SalesforceError, match="STANDARD_PRICE_NOT_DEFINED"):
        rows.create("PricebookEntry", price | {"Pricebook2Id": book_id})
    rows.create("PricebookEntry", price | {"Pricebook2Id": STANDARD_PRICEBOOK_ID})
    entry_id = rows.create("PricebookEntry", price | {"Pricebook2Id": book_id, "UseStandardPrice": True})
    with pytest.raises(SalesforceError, match="DUPLICATE_VALUE"):
        rows.create("PricebookEntry", price | {"Pricebook2Id": book_id})

    entry = rows.get("PricebookEntry", entry_id)
    assert entry is not None
    assert (entry["Name"], entry["UnitPrice"]) == ("VPN", 100)


def test_deleting_a_draft_order_takes_its_products_along(org: Org) -> None:
    order_id = org.order_with_item()

    org.sandbox.rows.delete("Order", order_id)

    assert org.sandbox.rows.query("SELECT Id FROM OrderItem") == []
    assert org.sandbox.rows.get("Order", order_id) is None


def test_account_with_orders_cannot_be_deleted(org: Org) -> None:
    order = org.sandbox.rows.get("Order", org.order_with_item())

    assert order is not None
    with pytest.raises(SalesforceError, match="DELETE_FAILED"):
        org.sandbox.rows.delete("Account", order["AccountId"])
