"""What the org refuses of our user's writes to cases, and who owns a case that was changed by REST."""

from sandbox.faults import Faults
from sandbox.salesforce.changes import Change
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.rows import Rows
from sandbox.salesforce.tables import INTEGRATION_USER_ID

_TOKEN = "Portal_Last_Message__c"


class SupportRules:
    """Check each change of a case or comment; the switches of the board decide which rules the org has."""

    def __init__(self, rows: Rows, faults: Faults) -> None:
        self._rows = rows
        self._faults = faults
        rows.gives_to_default_owner = lambda: self._is_on("assignment_rule")

    def on_change(self, change: Change) -> None:
        """Refuse what the org does not allow our user. Raises SalesforceError, which undoes the transaction."""
        if change.after.get("LastModifiedById") != INTEGRATION_USER_ID:
            return
        if change.object_name == "Case":
            self._check_case(change)
        elif change.object_name == "CaseComment":
            self._check_comment(change)

    def _check_case(self, change: Change) -> None:
        if change.type == "CREATE" and self._is_on("auto_response") and not change.after.get("SuppliedEmail"):
            message = "Required fields are missing: [SuppliedEmail]"
            raise SalesforceError("REQUIRED_FIELD_MISSING", message, fields=["SuppliedEmail"])
        if change.type == "UPDATE" and _TOKEN in change.fields and self._is_on("no_token_field"):
            message = f"Unable to create/update fields: {_TOKEN}."
            raise SalesforceError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=[_TOKEN])
        if change.before.get("IsClosed") and self._is_on("closed_locked") and "Status" in change.fields:
            raise SalesforceError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "A closed case stays closed.", fields=["Status"])

    def _check_comment(self, change: Change) -> None:
        if change.type == "UPDATE" and "CommentBody" in change.fields and not self._is_on("edit_comment"):
            message = "insufficient access rights on object id"
            raise SalesforceError("INSUFFICIENT_ACCESS_OR_READONLY", message)
        if change.type == "CREATE" and self._is_on("closed_locked"):
            case = self._rows.tables.get(OBJECTS["Case"], change.after["ParentId"]) or {}
            if case.get("IsClosed"):
                raise SalesforceError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "A closed case takes no comments.")

    def _is_on(self, switch: str) -> bool:
        return bool(self._faults.level("salesforce", switch))
