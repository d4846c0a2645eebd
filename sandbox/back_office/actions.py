"""What staff and testers can do in the back office: orders, invoices, faults and the clock."""

import secrets
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Protocol, get_args

from sandbox.clock import Clock
from sandbox.faults import VENDORS, Faults, FaultSettings, Vendor
from sandbox.mailbox import Mailbox
from sandbox.store import Document
from sandbox.whmcs.installation import Installation, Refused
from sandbox.whmcs.invoices import Payment, balance_of, cancel_invoice, is_overdue, pay, refund
from sandbox.whmcs.money import decimal
from sandbox.whmcs.staff import carry_out

_ORDERS = (
    "SELECT Id, OrderNumber, Status, Activation_Status__c, Order_Type__c, AccountId, Portal_Order_Id__c, "
    "WHMCS_Order_ID__c, Activation_Error_Code__c, Activation_Error_Message__c, CreatedDate FROM Order"
)
_ACCOUNTS = "SELECT Id, SF_Account_No__c FROM Account WHERE SF_Account_No__c != null"
_ENTRIES = (
    "SELECT Id, UnitPrice, Pricebook2Id, Product2.StockKeepingUnit FROM PricebookEntry "
    "WHERE Pricebook2.Name = 'Portal' AND IsActive = true"
)
_CASES = "SELECT Id, CaseNumber, Subject, Status, Portal_Reference__c, Description FROM Case"
_LINES = "SELECT OrderId, Product2Id, Quantity, UnitPrice, WHMCS_Service_ID__c FROM OrderItem"


class Rows(Protocol):
    """What the back office needs of the Salesforce sandbox's rows."""

    def get(self, object_name: str, row_id: str) -> dict[str, Any] | None: ...
    def create(self, object_name: str, fields: dict[str, Any]) -> str: ...
    def update(self, object_name: str, row_id: str, fields: dict[str, Any], *, system: bool = False) -> None: ...
    def query(self, text: str) -> list[dict[str, Any]]: ...


_KINDS = ("clients", "orders", "services", "invoices", "addons")


class UnknownRecord(Exception):
    """There is no record with this id."""


class WrongState(Exception):
    """The record's state does not allow this action."""


class BackOffice:
    """The actions of the back office, for its pages and its JSON API."""

    def __init__(self, whmcs: Installation, salesforce: Rows, mailbox: Mailbox, reset: Callable[[], None]) -> None:
        self.mailbox = mailbox
        self.clock: Clock = whmcs.clock
        self.faults: Faults = whmcs.faults
        self.reset = reset
        self._whmcs = whmcs
        self._salesforce = salesforce

    def orders(self) -> list[Document]:
        """Return the Salesforce orders with customer and lines, newest first."""
        lines = defaultdict(list)
        for row in self._salesforce.query(_LINES):
            lines[row["OrderId"]].append(self._line(row))
        rows = sorted(self._salesforce.query(_ORDERS), key=lambda row: row["OrderNumber"], reverse=True)
        return [self._order(row, lines[row["Id"]]) for row in rows]

    def order(self, order_id: str) -> Document:
        """Return one Salesforce order with customer and lines. Raises UnknownRecord."""
        row = self._salesforce.get("Order", order_id)
        if row is None:
            raise UnknownRecord(order_id)
        lines = self._salesforce.query(f"{_LINES} WHERE OrderId = '{row['Id']}'")
        return self._order(row, [self._line(line) for line in lines])

    def approve(self, order_id: str) -> None:
        """Approve an order under review; its flow then asks for fulfilment. Raises UnknownRecord, WrongState."""
        order = self._order_under_review(order_id)
        if order["Activation_Status__c"] in ("Activating", "Activated"):
            raise WrongState(f"The order is already {order['Activation_Status__c']}.")
        self._salesforce.update("Order", order_id, {"Activation_Status__c": "Activating"})

    def reject(self, order_id: str) -> None:
        """Reject an order under review. Raises UnknownRecord, WrongState."""
        self._order_under_review(order_id)
        self._salesforce.update("Order", order_id, {"Status": "Rejected"})

    def edit(self, order_id: str, fields: dict[str, Any]) -> None:
        """Fill in fields of an order. Raises UnknownRecord."""
        if self._salesforce.get("Order", order_id) is None:
            raise UnknownRecord(order_id)
        self._salesforce.update("Order", order_id, fields)

    def order_for(self, customer_number: str, skus: list[str], fields: dict[str, Any]) -> str:
        """Make an order for a customer, as an agent does for a customer on the telephone. Raises UnknownRecord."""
        accounts = {row["SF_Account_No__c"]: row["Id"] for row in self._salesforce.query(_ACCOUNTS)}
        entries = {row["Product2"]["StockKeepingUnit"]: row for row in self._salesforce.query(_ENTRIES)}
        if customer_number not in accounts or not skus or any(sku not in entries for sku in skus):
            raise UnknownRecord(customer_number)
        order_id = self._salesforce.create("Order", {
            "AccountId": accounts[customer_number], "EffectiveDate": f"{self.clock.now():%Y-%m-%d}",
            "Pricebook2Id": entries[skus[0]]["Pricebook2Id"], "Status": "Pending Review",
            "Activation_Status__c": "Not Started", **fields,
        })  # fmt: skip
        for sku in skus:
            entry = {"PricebookEntryId": entries[sku]["Id"], "UnitPrice": entries[sku]["UnitPrice"]}
            self._salesforce.create("OrderItem", {"OrderId": order_id, "Quantity": 1, **entry})
        return order_id

    def cases(self) -> list[Document]:
        """Return the cases, newest first."""
        rows = sorted(self._salesforce.query(_CASES), key=lambda row: row["CaseNumber"], reverse=True)
        return [
            {
                "id": row["Id"], "number": row["CaseNumber"], "subject": row["Subject"], "status": row["Status"],
                "reference": row["Portal_Reference__c"], "description": row["Description"],
            }
            for row in rows
        ]  # fmt: skip

    def invoices(self) -> list[Document]:
        """Return the WHMCS invoices with client and amounts, newest first."""
        return [self._invoice(row) for row in self._whmcs.rows("invoice")][::-1]

    def pay_invoice(self, number: int) -> None:
        """Pay the balance of an unpaid or pending invoice. Raises UnknownRecord, WrongState."""
        invoice = self._invoice_in(number, "Unpaid", "Payment Pending")
        amount = balance_of(self._whmcs, invoice).balance
        with self._whmcs.store.transaction():
            pay(self._whmcs, invoice, Payment(amount, "banktransfer", f"till_{secrets.token_hex(6)}"))

    def cancel_invoice(self, number: int) -> None:
        """Cancel an unpaid invoice. Raises UnknownRecord, WrongState."""
        with self._whmcs.store.transaction():
            cancel_invoice(self._whmcs, self._invoice_in(number, "Unpaid"))

    def refund_invoice(self, number: int) -> None:
        """Refund a paid invoice. Raises UnknownRecord, WrongState."""
        with self._whmcs.store.transaction():
            refund(self._whmcs, self._invoice_in(number, "Paid"))

    def whmcs_rows(self, kind: str) -> list[Document]:
        """Return WHMCS rows as kept: clients, orders, services, cancellations or invoices. Raises UnknownRecord."""
        if kind not in (*_KINDS, "cancellations"):
            raise UnknownRecord(kind)
        return self.invoices() if kind == "invoices" else self._whmcs.rows(kind.removesuffix("s"))

    def staff(self, kind: str, number: int, action: str, wanted: Document) -> Document:
        """Do at WHMCS what only its staff can (sandbox/whmcs/staff.py). Raises UnknownRecord, WrongState."""
        if kind not in _KINDS:
            raise UnknownRecord(kind)
        try:
            done = carry_out(self._whmcs, kind.removesuffix("s"), number, action, wanted)
        except Refused as error:
            raise WrongState(str(error)) from error
        if done is None:
            raise UnknownRecord(number)
        return done

    def fault_settings(self) -> dict[str, Document]:
        """Return each vendor's fault settings."""
        return {vendor: asdict(self.faults.settings_of(vendor)) for vendor in VENDORS}

    def set_faults(self, vendor: str, settings: FaultSettings) -> None:
        """Set a vendor's faults. Raises UnknownRecord."""
        if vendor not in get_args(Vendor):
            raise UnknownRecord(vendor)
        self.faults.set(next(known for known in VENDORS if known == vendor), settings)

    def advance(self, seconds: float) -> str:
        """Move the clock and return the new time as ISO text."""
        return self.clock.advance(timedelta(seconds=seconds)).isoformat()

    def move_to(self, moment: datetime) -> str:
        """Move the clock to an aware moment and return the new time as ISO text. Raises ValueError for a naive one."""
        if moment.tzinfo is None:
            raise ValueError("the moment needs an offset from UTC")
        return self.clock.move_to(moment).isoformat()

    def _order_under_review(self, order_id: str) -> Document:
        order = self._salesforce.get("Order", order_id)
        if order is None:
            raise UnknownRecord(order_id)
        if order["Status"] != "Pending Review":
            raise WrongState(f"The order is {order['Status']}.")
        return order

    def _order(self, row: Document, lines: list[Document]) -> Document:
        account = self._salesforce.get("Account", row["AccountId"]) or {}
        return {
            "id": row["Id"], "number": row["OrderNumber"], "status": row["Status"],
            "activation_status": row["Activation_Status__c"], "type": row["Order_Type__c"],
            "portal_order_id": row["Portal_Order_Id__c"], "whmcs_order_id": row["WHMCS_Order_ID__c"],
            "error": row["Activation_Error_Message__c"] or row["Activation_Error_Code__c"] or "",
            "customer": account.get("Name"), "customer_number": account.get("SF_Account_No__c"),
            "created_at": row["CreatedDate"], "lines": lines,
            "total": sum(line["quantity"] * line["unit_price"] for line in lines),
        }  # fmt: skip

    def _line(self, row: Document) -> Document:
        product = self._salesforce.get("Product2", row["Product2Id"]) or {}
        return {
            "name": product.get("Name"), "sku": product.get("StockKeepingUnit"),
            "cycle": product.get("Billing_Cycle__c"), "quantity": int(row["Quantity"]),
            "unit_price": int(row["UnitPrice"]), "whmcs_service_id": row["WHMCS_Service_ID__c"],
        }  # fmt: skip

    def _invoice_in(self, number: int, *statuses: str) -> Document:
        invoice = self._whmcs.row("invoice", number)
        if invoice is None:
            raise UnknownRecord(number)
        if invoice["status"] not in statuses:
            raise WrongState(f"The invoice is {invoice['status']}.")
        return invoice

    def _invoice(self, row: Document) -> Document:
        owed = balance_of(self._whmcs, row)
        client = self._whmcs.row("client", row["userid"]) or {"firstname": "", "lastname": ""}
        amounts = {"total": decimal(owed.total), "balance": decimal(owed.balance), "tax": decimal(owed.tax)}
        name = f"{client['firstname']} {client['lastname']}"
        return row | amounts | {"client_name": name, "overdue": is_overdue(self._whmcs, row)}
