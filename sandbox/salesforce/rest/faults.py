"""Refusals on demand over REST: the switches of the board that answer a call before its resource sees it."""

from typing import Any

from sandbox.faults import Faults
from sandbox.salesforce.calls import Answer, Call
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.objects import find_object
from sandbox.salesforce.rest.usage import Usage

_EXPIRED = "Session expired or invalid"
_SPENT = "TotalRequests Limit exceeded."
_CONCURRENT = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
_FULL = "Your org has used up its file storage."
_RULE = "A rule of this org does not allow this record."
_TRIGGER = "PortalTrigger: execution of BeforeInsert\n\ncaused by: System.DmlException: line 7, column 1"
_DUPLICATE = "You're creating a duplicate record. We recommend you use an existing record instead."


class RestFaults:
    """Ask the switch board, and the day's allowance, about each call."""

    def __init__(self, faults: Faults, usage: Usage) -> None:
        self._faults = faults
        self._usage = usage

    def check_session(self) -> None:
        """Refuse every token while the switch says so. Raises SalesforceError."""
        if self._on("session_never_valid"):
            raise SalesforceError("INVALID_SESSION_ID", _EXPIRED, status=401)

    def check_limits(self) -> None:
        """Refuse a call beyond the org's limits. Raises SalesforceError."""
        if self._on("daily_limit") or self._usage.is_spent():
            raise SalesforceError("REQUEST_LIMIT_EXCEEDED", _SPENT, status=403)
        if self._on("concurrent_limit"):
            raise SalesforceError("REQUEST_LIMIT_EXCEEDED", _CONCURRENT, status=403)
        if self._on("server_unavailable"):
            raise SalesforceError("SERVER_UNAVAILABLE", "Server is unavailable. Try again later.", status=503)

    def check(self, call: Call, operation: str, *, writes: bool) -> None:
        """Refuse one call as the switches for its kind say. Raises SalesforceError."""
        if operation == "query":
            self._check_query(call)
        elif writes:
            self._check_write(call, operation)

    def several_matches(self, call: Call) -> Answer | None:
        """Answer a call by external id with two addresses when the switch is on."""
        by_key = len(call.path) > 3 and call.path[0].lower() == "sobjects" and call.path[2].lower().endswith("__c")
        if not by_key or not self._on("several_matches"):
            return None
        obj = find_object(call.path[1])
        prefix = obj.prefix if obj else "000"
        return Answer(300, [f"{call.api_path}/sobjects/{call.path[1]}/{prefix}xx000000000{n}AAA" for n in (1, 2)])

    def locks_row(self) -> bool:
        """Say whether the row this call writes is held by somebody else."""
        return self._on("lock_row")

    def _check_query(self, call: Call) -> None:
        if len(call.path) > 1 and self._on("stale_cursor"):
            raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator")
        if self._on("query_timeout"):
            raise SalesforceError("QUERY_TIMEOUT", "Your query request was running for too long.")

    def _check_write(self, call: Call, operation: str) -> None:
        if self._on("validation_rule"):
            raise SalesforceError("FIELD_CUSTOM_VALIDATION_EXCEPTION", _RULE)
        if self._on("trigger_failed"):
            raise SalesforceError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", _TRIGGER)
        if operation.endswith("__e") and self._on("publish_limit"):
            raise SalesforceError("LIMIT_EXCEEDED", "The hourly limit of published platform events is exceeded.")
        if operation == "create:ContentVersion" and self._on("storage_full"):
            raise SalesforceError("STORAGE_LIMIT_EXCEEDED", _FULL)
        if self._on("field_too_long"):
            raise _too_long(call)
        if self._on("duplicates_detected"):
            raise _duplicate(operation.partition(":")[2] or "Account")

    def _on(self, name: str) -> bool:
        return self._faults.take_special("salesforce", name)


def _too_long(call: Call) -> SalesforceError:
    fields = call.body if isinstance(call.body, dict) else {}
    name, value = next(((k, v) for k, v in fields.items() if isinstance(v, str) and v), ("Name", ""))
    short = max(0, len(value) - 1)
    message = f"{name}: data value too large: {value} (max length={short})"
    return SalesforceError("STRING_TOO_LONG", message, fields=[name])


def _duplicate(entity: str) -> SalesforceError:
    result: dict[str, Any] = {
        "allowSave": True,
        "duplicateRule": f"Standard_{entity}_Duplicate_Rule",
        "duplicateRuleEntityType": entity,
        "errorMessage": _DUPLICATE,
        "matchResults": [],
    }
    return SalesforceError("DUPLICATES_DETECTED", _DUPLICATE, more={"duplicateResult": result})
