"""What the org checks and fills in by itself when rows of particular objects are written."""

from collections.abc import Callable

from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.objects import ACTIVATED_STATUSES, OBJECTS
from sandbox.salesforce.support_objects import CLOSED_CASE_STATUSES
from sandbox.salesforce.tables import STANDARD_PRICEBOOK_ID, Row, Tables

Rule = Callable[[Tables, Row, Row], None]


def check_and_fill(tables: Tables, object_name: str, before: Row, after: Row) -> None:
    """Apply an object's rules to a row about to be kept; `before` is empty at create. Raises SalesforceError."""
    for rule in _RULES.get(object_name, ()):
        rule(tables, before, after)


def check_delete(tables: Tables, object_name: str, row: Row) -> None:
    """Refuse a delete that the object's rules forbid. Raises SalesforceError."""
    for rule in _DELETE_RULES.get(object_name, ()):
        rule(tables, row, row)


def number_row(tables: Tables, object_name: str, row: Row) -> None:
    """Fill the auto-number field of a row being created."""
    if object_name in _NUMBERS:
        field_name, form = _NUMBERS[object_name]
        row[field_name] = form.format(tables.next_number(f"{object_name}.{field_name}", 101))


def changed(before: Row, after: Row, field_name: str) -> bool:
    """Say whether a write changes a field."""
    return before.get(field_name) != after.get(field_name)


def _contact_name(_tables: Tables, _before: Row, after: Row) -> None:
    after["Name"] = " ".join(filter(None, (after.get("FirstName"), after.get("LastName"))))


def _case_closing(_tables: Tables, before: Row, after: Row) -> None:
    after["IsClosed"] = after.get("Status") in CLOSED_CASE_STATUSES
    if not after["IsClosed"]:
        after.pop("ClosedDate", None)
    elif not before.get("IsClosed"):
        after["ClosedDate"] = after["SystemModstamp"]


def _order_status(tables: Tables, before: Row, after: Row) -> None:
    after["StatusCode"] = "Activated" if after.get("Status") in ACTIVATED_STATUSES else "Draft"
    if after["StatusCode"] == before.get("StatusCode", "Draft"):
        return
    if after["StatusCode"] == "Draft":
        after.pop("ActivatedDate", None)
        after.pop("ActivatedById", None)
        return
    if not before:
        message = "Choose a valid order status and save your changes. Ask your Salesforce admin for details."
        raise SalesforceError("FAILED_ACTIVATION", message, fields=["Status"])
    if not tables.children("OrderItem", "OrderId", after["Id"]):
        raise SalesforceError("FAILED_ACTIVATION", "An order must have at least one product.")
    after["ActivatedDate"] = after["SystemModstamp"]
    after["ActivatedById"] = after["LastModifiedById"]


def _order_fixed_fields(tables: Tables, before: Row, after: Row) -> None:
    if not before:
        return
    if changed(before, after, "AccountId") and before.get("StatusCode") == "Activated":
        message = "You can only edit the account of an order whose status is Draft."
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["AccountId"])
    if changed(before, after, "Pricebook2Id") and tables.children("OrderItem", "OrderId", after["Id"]):
        message = "You can't change the price book of an order that has order products."
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["Pricebook2Id"])


def _order_dates(_tables: Tables, _before: Row, after: Row) -> None:
    if after.get("EndDate") and after["EndDate"] < after["EffectiveDate"]:
        message = "Order End Date: the end date can't be earlier than the start date"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["EndDate"])


def _item_price_book(tables: Tables, before: Row, after: Row) -> None:
    if before:
        return
    order = tables.get(OBJECTS["Order"], after["OrderId"]) or {}
    entry = tables.get(OBJECTS["PricebookEntry"], after["PricebookEntryId"]) or {}
    if order.get("Pricebook2Id") is None or entry.get("Pricebook2Id") != order["Pricebook2Id"]:
        message = (
            "field integrity exception: PricebookEntryId (pricebook entry is in a different pricebook than the one "
            "assigned to the Order, or Order has no pricebook assigned)"
        )
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["PricebookEntryId"])
    if not entry.get("IsActive"):
        message = "field integrity exception: PricebookEntryId (pricebook entry is inactive)"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["PricebookEntryId"])
    after["Product2Id"] = entry["Product2Id"]


def _item_of_activated_order(tables: Tables, before: Row, after: Row) -> None:
    order = tables.get(OBJECTS["Order"], after["OrderId"]) or {}
    if order.get("StatusCode") != "Activated":
        return
    frozen = [name for name in ("Quantity", "UnitPrice") if changed(before, after, name)]
    if not before or frozen:
        message = "You can't add, remove or reprice the products of an activated order."
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=frozen)


def _item_total(_tables: Tables, _before: Row, after: Row) -> None:
    if after["Quantity"] <= 0:
        message = "Quantity: must be greater than zero"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["Quantity"])
    after["TotalPrice"] = after["Quantity"] * after["UnitPrice"]


def _standard_price_first(tables: Tables, before: Row, after: Row) -> None:
    if before:
        return
    entries = tables.children("PricebookEntry", "Product2Id", after["Product2Id"])
    if any(entry["Pricebook2Id"] == after["Pricebook2Id"] for entry in entries):
        raise SalesforceError("DUPLICATE_VALUE", "This price definition already exists in this price book")
    standard = after["Pricebook2Id"] == STANDARD_PRICEBOOK_ID
    if not standard and not any(entry["Pricebook2Id"] == STANDARD_PRICEBOOK_ID for entry in entries):
        raise SalesforceError("STANDARD_PRICE_NOT_DEFINED", "No standard price defined for this product")


def _entry_copies(tables: Tables, before: Row, after: Row) -> None:
    product = tables.get(OBJECTS["Product2"], after["Product2Id"]) or {}
    after["Name"], after["ProductCode"] = product.get("Name"), product.get("ProductCode")
    if not after.get("UseStandardPrice"):
        return
    if before and changed(before, after, "UnitPrice"):
        message = "Unit Price: read only when using the standard price"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["UnitPrice"])
    for entry in tables.children("PricebookEntry", "Product2Id", after["Product2Id"]):
        if entry["Pricebook2Id"] == STANDARD_PRICEBOOK_ID:
            after["UnitPrice"] = entry["UnitPrice"]


def _link_of_document(tables: Tables, before: Row, after: Row) -> None:
    if before:
        return
    entity, document = after["LinkedEntityId"], after["ContentDocumentId"]
    obj = next((each for each in OBJECTS.values() if each.kind == "row" and entity.startswith(each.prefix)), None)
    row = tables.get(obj, entity) if obj else None
    if row is None or row.get("IsDeleted"):
        raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=["LinkedEntityId"])
    links = tables.children("ContentDocumentLink", "ContentDocumentId", document)
    if any(link["LinkedEntityId"] == entity for link in links):
        message = f"Document with ID: {document} is already linked with the entity with ID: {entity}"
        raise SalesforceError("DUPLICATE_VALUE", message, fields=["LinkedEntityId"])


def _no_activated_order(tables: Tables, row: Row, _same: Row) -> None:
    order = row if "OrderNumber" in row else tables.get(OBJECTS["Order"], row["OrderId"]) or {}
    if order.get("StatusCode") == "Activated":
        message = "Your attempt to delete could not be completed because the order is activated."
        raise SalesforceError("DELETE_FAILED", message)


def _account_without_orders(tables: Tables, row: Row, _same: Row) -> None:
    orders = tables.children("Order", "AccountId", row["Id"])
    if orders:
        listed = ", ".join(order["OrderNumber"] for order in orders)
        message = f"Your attempt to delete {row['Name']} could not be completed because it has orders: {listed}"
        raise SalesforceError("DELETE_FAILED", message)


def _entry_unused(tables: Tables, row: Row, _same: Row) -> None:
    if tables.children("OrderItem", "PricebookEntryId", row["Id"]):
        message = "Your attempt to delete the price could not be completed because order products use it."
        raise SalesforceError("DELETE_FAILED", message)


def _not_standard(_tables: Tables, row: Row, _same: Row) -> None:
    if row.get("IsStandard"):
        raise SalesforceError("DELETE_FAILED", "The standard price book cannot be deleted.")


def _never(_tables: Tables, row: Row, _same: Row) -> None:
    raise SalesforceError("INSUFFICIENT_ACCESS_OR_READONLY", f"{row['Name']} cannot be deleted.")


_RULES: dict[str, tuple[Rule, ...]] = {
    "Case": (_case_closing,),
    "Contact": (_contact_name,),
    "ContentDocumentLink": (_link_of_document,),
    "Order": (_order_dates, _order_fixed_fields, _order_status),
    "OrderItem": (_item_of_activated_order, _item_price_book, _item_total),
    "PricebookEntry": (_standard_price_first, _entry_copies),
}
_DELETE_RULES: dict[str, tuple[Rule, ...]] = {
    "Account": (_account_without_orders,),
    "Order": (_no_activated_order,),
    "OrderItem": (_no_activated_order,),
    "Organization": (_never,),
    "Pricebook2": (_not_standard,),
    "PricebookEntry": (_entry_unused,),
}
_NUMBERS = {
    "Case": ("CaseNumber", "{:08d}"),
    "Order": ("OrderNumber", "{:08d}"),
    "OrderItem": ("OrderItemNumber", "{:010d}"),
    "SIM_Inventory__c": ("Name", "SIM-{:05d}"),
}
CASCADES = {
    "Case": (("CaseComment", "ParentId"), ("EmailMessage", "ParentId")),
    "ContentDocument": (("ContentVersion", "ContentDocumentId"), ("ContentDocumentLink", "ContentDocumentId")),
    "Order": (("OrderItem", "OrderId"),),
    "Product2": (("PricebookEntry", "Product2Id"),),
}
