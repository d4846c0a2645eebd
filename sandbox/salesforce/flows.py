"""The org's automation: what happens by itself when rows change."""

import uuid

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.salesforce.bus.bus import Bus
from sandbox.salesforce.bus.events import publish
from sandbox.salesforce.changes import Change, Unit
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.rows import Rows
from sandbox.salesforce.tables import INTEGRATION_USER_ID, Row

_CHECK = "Internet_Eligibility_Status__c"
_OPEN_CHECKS = "SELECT Id, AccountId FROM Case WHERE Portal_Kind__c = 'Address Check' AND IsClosed = false"
_FULFILMENT = "Order_Fulfilment_Requested__e"


class Flows:
    """Ask for fulfilment when an order is approved, note activity at cases, date address checks."""

    def __init__(self, rows: Rows, bus: Bus, clock: Clock, faults: Faults) -> None:
        self._faults = faults
        self._rows = rows
        self._clock = clock
        self._bus = bus

    def on_change(self, change: Change) -> None:
        """Follow up on one change within its transaction."""
        is_published = change.object_name == "CaseComment" and change.became("IsPublished", True)
        is_mail = change.object_name == "EmailMessage" and change.type == "CREATE"
        if change.object_name == "CaseComment" and self._faults.level("salesforce", "comment_silent"):
            return
        is_new = change.object_name == "CaseComment" and change.type == "CREATE"
        if change.object_name == "ContentDocumentLink" and change.became("Visibility", "AllUsers"):
            # No flow can start here: an org has an Apex trigger for it.
            self._note_file(change.after)
        if is_published or is_mail:
            self._note_activity(change.after, _read_by_owner(change.after) if is_new else {})
        elif is_new:
            self._mark_read(change.after)
        elif change.object_name == "CaseComment" and _was_or_is_published(change):
            # Customers no longer see what they saw, which no event but the case's tells.
            self._rows.update("Case", change.after["ParentId"], {})
        if change.object_name == "Account" and any(change.became(_CHECK, word) for word in ("Eligible", "Ineligible")):
            self._end_check(change.row_id)

    def _mark_read(self, comment: Row) -> None:
        """Mark at a case that its owner has read all, where an internal comment says so first."""
        case = self._rows.tables.get(OBJECTS["Case"], comment["ParentId"]) or {}
        marks = _read_by_owner(comment)
        if any(bool(case.get(name)) != value for name, value in marks.items()):
            self._rows.update("Case", comment["ParentId"], marks, system=True)

    def _note_activity(self, entry: Row, marks: Row | None = None) -> None:
        """Note at a case when somebody last wrote in it, and which side."""
        is_customer = entry.get("Incoming") or entry["CreatedById"] == INTEGRATION_USER_ID
        if entry.get("ParentId"):
            noted = {"Portal_Last_Activity_At__c": entry["LastModifiedDate"]}
            noted["Portal_Last_Activity_By__c"] = "Customer" if is_customer else "Agent"
            self._rows.update("Case", entry["ParentId"], noted | (marks or {}), system=True)

    def _note_file(self, link: Row) -> None:
        """Note at a case that it has a new file."""
        if str(link["LinkedEntityId"]).startswith(OBJECTS["Case"].prefix):
            self._note_activity(link | {"ParentId": link["LinkedEntityId"]})

    def _end_check(self, account_id: str) -> None:
        """Date the answer and close the cases that asked for it."""
        now = self._clock.now().isoformat()
        self._rows.update("Account", account_id, {"Internet_Eligibility_Checked_At__c": now})
        for case in self._rows.query(_OPEN_CHECKS):
            if case["AccountId"] == account_id:
                self._rows.update("Case", case["Id"], {"Status": "Closed"})

    def on_commit(self, unit: Unit) -> None:
        """Publish the fulfilment requests of a unit; they become visible only with its commit."""
        approved = [
            change.row_id
            for change in unit.changes
            if change.object_name == "Order" and change.became("Activation_Status__c", "Activating")
        ]
        for order_id in approved:
            self._request_fulfilment(order_id, unit)

    def _request_fulfilment(self, order_id: str, unit: Unit) -> None:
        user = self._rows.tables.get(OBJECTS["User"], unit.actor.user_id) or {}
        values = {
            "OrderId__c": order_id,
            "IdemKey__c": f"{order_id}:{uuid.uuid4()}",
            "CorrelationId__c": str(uuid.uuid4()),
            "RequestedBy__c": user.get("Username", unit.actor.user_id),
            "Version__c": 1,
        }
        at_ms = int(unit.at.timestamp() * 1000)
        publish(self._bus, _FULFILMENT, values, user_id=unit.actor.user_id, at_ms=at_ms)


def _read_by_owner(comment: Row) -> Row:
    """Return what a new comment says of the owner: a customer's is unread, and who writes one has read the others."""
    return {"HasCommentsUnreadByOwner": comment["CreatedById"] == INTEGRATION_USER_ID}


def _was_or_is_published(change: Change) -> bool:
    return bool(change.before.get("IsPublished") or change.after.get("IsPublished"))
