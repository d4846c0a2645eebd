"""Accounts, contacts and orders in Salesforce: implements CrmGateway."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from portal_app.domain.errors import InvalidInput, OutcomeUnknown
from portal_app.domain.identifiers import salesforce_id
from portal_app.domain.orders.order import NewSalesforceOrder, OrderLine, SalesforceOrder
from portal_app.domain.ports.billing import BillingOrder
from portal_app.domain.ports.crm import CrmCustomer
from portal_app.domain.profile.customer import Customer, Profile
from portal_app.domain.profile.profile import ProfileChange
from portal_app.infra.settings import Settings
from portal_app.integrations.salesforce.client import Part, SalesforceClient
from portal_app.integrations.salesforce.errors import SalesforceRejected
from portal_app.integrations.salesforce.records import (
    ORDER_FIELDS,
    account_change,
    account_of,
    contact_change,
    contact_of,
    item_of,
    line_of,
    new_order_of,
    order_of,
)
from portal_app.integrations.salesforce.responses import (
    checked_id,
    external_id_path,
    id_of,
    new_id_of,
    read_each,
    understood,
)
from portal_app.language.phrase import Phrase

# A composite call takes 25 requests; the first is the order itself.
MOST_LINES = 24
_ORDERS = " ".join(("SELECT", ", ".join(ORDER_FIELDS), "FROM Order"))
_BY_ID = _ORDERS + " WHERE Id IN {ids}"
_CHANGED = _ORDERS + " WHERE SystemModstamp >= {since}"
_LINES = (
    "SELECT PricebookEntryId, UnitPrice, PricebookEntry.Product2.Name, PricebookEntry.Product2.StockKeepingUnit, "
    "PricebookEntry.Product2.Billing_Cycle__c, PricebookEntry.Product2.WH_Product_ID__c FROM OrderItem "
    "WHERE OrderId = {order} ORDER BY OrderItemNumber"
)
_CODE_LENGTH, _MESSAGE_LENGTH = 80, 255
_log = structlog.get_logger(__name__)


class SalesforceCrm:
    """Write what the portal knows into the org, each record by an external id of ours."""

    def __init__(self, client: SalesforceClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    async def find_customer(self, customer_number: str) -> CrmCustomer | None:
        """Look an account up by customer number, with its portal contact or, where it has none, another one."""
        accounts = await self._client.query(
            "SELECT Id FROM Account WHERE SF_Account_No__c = {number} LIMIT 1", number=customer_number
        )
        if not accounts:
            return None
        account_id = id_of("find customer", accounts[0])
        contacts = await self._client.query(
            "SELECT Id FROM Contact WHERE AccountId = {account} ORDER BY Portal_User_Id__c DESC NULLS LAST LIMIT 1",
            account=account_id,
        )
        return CrmCustomer(account_id, id_of("find customer", contacts[0]) if contacts else "")

    async def upsert_customer(
        self, profile: Profile, *, user_id: UUID, customer_number: str, whmcs_client_id: int
    ) -> CrmCustomer:
        """Create or update account and contact together. Safe to repeat."""
        account_path = external_id_path("Account", "SF_Account_No__c", customer_number)
        contact_path = external_id_path("Contact", "Portal_User_Id__c", str(user_id))
        contact = contact_of(profile) | {"AccountId": "@{account.id}"}
        done = await self._client.composite(
            "upsert customer",
            [
                Part("account", "PATCH", account_path, account_of(profile, whmcs_client_id)),
                Part("contact", "PATCH", contact_path, contact),
            ],
            safe=True,
        )
        return CrmCustomer(*(new_id_of("upsert customer", done[part], safe=True) for part in ("account", "contact")))

    async def change_customer(self, customer: Customer, change: ProfileChange) -> None:
        """Change account and contact together; a new address resets the internet eligibility. Safe to repeat."""
        account, contact = account_change(change, customer.whmcs_client_id), contact_change(change)
        parts = [Part("account", "PATCH", f"sobjects/Account/{checked_id(customer.sf_account_id)}", account)]
        if customer.sf_contact_id:
            parts.append(Part("contact", "PATCH", f"sobjects/Contact/{checked_id(customer.sf_contact_id)}", contact))
        if wanted := [part for part in parts if part.body]:
            await self._client.composite("change customer", wanted, safe=True)

    async def upsert_order(self, order: NewSalesforceOrder) -> str:
        """Create the order with its lines, all or none, unless it is there; return its id.

        Raises OutcomeUnknown when the answer was lost and the order is not to be seen; calling again is safe.
        """
        if len(order.lines) > MOST_LINES:
            raise InvalidInput({"lines": Phrase("Order at most {most} items at once.", most=MOST_LINES)})
        return await self._find_order(order.order_id) or await self._create_order(order)

    async def order(self, sf_order_id: str) -> SalesforceOrder:
        """Return one order. Raises NotFound."""
        row = await self._client.read("Order", sf_order_id, ORDER_FIELDS)
        with understood("read Order"):
            return order_of(row)

    async def orders(self, sf_order_ids: Sequence[str]) -> list[SalesforceOrder]:
        """Return those of at most 200 orders that exist, in one call."""
        if not sf_order_ids:
            return []
        ids = [checked_id(sf_order_id) for sf_order_id in sf_order_ids]
        return _orders_of(await self._client.query(_BY_ID, ids=ids))

    async def orders_changed_since(self, since: datetime) -> list[SalesforceOrder]:
        """Return every order that changed since a moment, through the rate limiter of long calls."""
        return _orders_of(await self._client.wide_query(_CHANGED, since=since))

    async def order_billed(self, sf_order_id: str, *, billing: BillingOrder) -> None:
        """Write the WHMCS ids back to the order and its lines; the status stays. Safe to repeat."""
        order_path = f"sobjects/Order/{checked_id(sf_order_id)}"
        items = await self._client.query(
            "SELECT Id, PricebookEntry.Product2.WH_Product_ID__c FROM OrderItem WHERE OrderId = {order} "
            "ORDER BY OrderItemNumber",
            order=sf_order_id,
        )
        with understood("order billed"):
            billed = [id_of("order billed", row) for row in items if _has_whmcs_product(row)]
        parts = [Part("order", "PATCH", order_path, {"WHMCS_Order_ID__c": str(billing.order_id)})]
        if len(billed) == len(billing.service_ids):
            # Services come in the order in which the lines were sent to WHMCS, and lines were created in that order.
            pairs = zip(billed, billing.service_ids, strict=True)
            parts += [
                Part(f"item{index}", "PATCH", f"sobjects/OrderItem/{item}", {"WHMCS_Service_ID__c": str(service)})
                for index, (item, service) in enumerate(pairs)
            ]
        else:
            _log.warning("salesforce.services_not_matched", items=len(billed), services=len(billing.service_ids))
        await self._client.composite("order billed", parts, safe=True)

    async def order_activated(self, sf_order_id: str) -> None:
        """Set Processed and Activated, and clear an earlier failure. Safe to repeat."""
        done = {
            "Status": "Processed",
            "Activation_Status__c": "Activated",
            "Activation_Error_Code__c": None,
            "Activation_Error_Message__c": None,
        }
        await self._client.update("Order", sf_order_id, done)

    async def order_lines(self, sf_order_id: str) -> tuple[OrderLine, ...]:
        """Return the lines of an order, in the order in which they were made."""
        found = await self._client.query(_LINES, order=sf_order_id)
        with understood("order lines"):
            return tuple(line_of(row) for row in found)

    async def claim_order(self, sf_order_id: str, order_id: UUID) -> None:
        """Write our order id to an order that agents made. Safe to repeat."""
        await self._client.update("Order", sf_order_id, {"Portal_Order_Id__c": str(order_id)})

    async def order_resumed(self, sf_order_id: str) -> None:
        """Set activation Activating again, and clear the reason why it stopped. Safe to repeat."""
        going = {"Activation_Status__c": "Activating", "Activation_Error_Code__c": None}
        await self._client.update("Order", sf_order_id, going | {"Activation_Error_Message__c": None})

    async def order_reopened(self, sf_order_id: str) -> None:
        """Set activation Not Started and clear the WHMCS ids and the error. Safe to repeat."""
        path = f"sobjects/Order/{checked_id(sf_order_id)}"
        items = await self._client.query("SELECT Id FROM OrderItem WHERE OrderId = {order}", order=sf_order_id)
        reopened = {"Activation_Status__c": "Not Started", "WHMCS_Order_ID__c": None}
        reopened |= {"Activation_Error_Code__c": None, "Activation_Error_Message__c": None}
        parts = [Part("order", "PATCH", path, reopened)]
        parts += [
            Part(f"item{index}", "PATCH", f"sobjects/OrderItem/{item}", {"WHMCS_Service_ID__c": None})
            for index, item in enumerate(id_of("order reopened", row) for row in items)
        ]
        await self._client.composite("order reopened", parts, safe=True)

    async def open_cases(self, sf_account_id: str) -> int:
        """Count the cases of an account that are not closed, without those the portal opened for agents' own work."""
        query = (
            "SELECT COUNT(Id) open FROM Case WHERE AccountId = {account} AND IsClosed = false"
            " AND (Portal_Kind__c = null OR Portal_Kind__c = 'Question')"
        )
        found = await self._client.query(query, account=sf_account_id)
        with understood("open cases"):
            return int(found[0]["open"])

    async def open_case(self, customer: Customer, *, reference: UUID, subject: str, description: str) -> None:
        """Open a case of a customer's under a reference of ours; what agents made of it stays. Safe to repeat."""
        query = "SELECT Id FROM Case WHERE Portal_Reference__c = {reference} LIMIT 1"
        if await self._client.query(query, reference=str(reference)):
            return
        case = {
            "Origin": "Portal Website",
            "Status": "New",
            "Priority": "High",
            "Subject": subject[:_MESSAGE_LENGTH],
            "Description": description,
            "Portal_Kind__c": "Order Problem",
            "Portal_Category__c": "Order",
            "AccountId": salesforce_id(customer.sf_account_id),
            "ContactId": salesforce_id(customer.sf_contact_id),
        }
        await self._client.upsert("Case", "Portal_Reference__c", str(reference), case)

    async def order_failed(self, sf_order_id: str, *, code: str, message: str) -> None:
        """Set activation Failed; code and message are ours and are cut to the length of their fields."""
        failed = {
            "Activation_Status__c": "Failed",
            "Activation_Error_Code__c": code[:_CODE_LENGTH],
            "Activation_Error_Message__c": message[:_MESSAGE_LENGTH],
        }
        await self._client.update("Order", sf_order_id, failed)

    async def _find_order(self, order_id: UUID) -> str | None:
        found = await self._client.query(
            "SELECT Id FROM Order WHERE Portal_Order_Id__c = {order} LIMIT 1", order=str(order_id)
        )
        return id_of("find order", found[0]) if found else None

    async def _create_order(self, order: NewSalesforceOrder) -> str:
        head = new_order_of(order, pricebook_id=self._settings.portal_pricebook_id)
        parts = [Part("order", "POST", "sobjects/Order", head)]
        parts += [
            Part(f"item{index}", "POST", "sobjects/OrderItem", item_of(line) | {"OrderId": "@{order.id}"})
            for index, line in enumerate(order.lines)
        ]
        try:
            done = await self._client.composite("create order", parts, safe=False)
            return new_id_of("create order", done["order"], safe=False)
        except (OutcomeUnknown, SalesforceRejected) as error:
            # Our order id is unique there, so of two that create it at once one is refused and finds the other's.
            if isinstance(error, SalesforceRejected) and error.error_code != "DUPLICATE_VALUE":
                raise
            if found := await self._find_order(order.order_id):
                return found
            raise


def _orders_of(rows: Sequence[Mapping[str, Any]]) -> list[SalesforceOrder]:
    return read_each(rows, order_of, listing="orders")


def _has_whmcs_product(row: Mapping[str, Any]) -> bool:
    entry = row.get("PricebookEntry") or {}
    return bool((entry.get("Product2") or {}).get("WH_Product_ID__c"))
