"""Salesforce's refusals as errors of ours. Their texts and addresses quote customers' data, so only codes are kept."""

from typing import Any

from simple_salesforce.exceptions import SalesforceError

from portal_app.domain.errors import ExternalError, ExternalRejected, ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.integrations.line import Busy, Misconfigured

VENDOR = "salesforce"
# Nothing was written, and the same call may succeed in a moment.
_PASSING = frozenset({"UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "TOO_MANY_APEX_REQUESTS"})
_OUR_FAULT = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "FORBIDDEN", "FUNCTIONALITY_NOT_ENABLED"})
_MISSING = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "MALFORMED_ID"})
_DAILY_LIMIT_PAUSE = 3600


class SalesforceRejected(ExternalRejected):
    """Salesforce understood and refused; `error_code` is its own, `fields` names what was wrong."""

    vendor = VENDOR

    def __init__(self, operation: str, error_code: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{operation}: {error_code} {', '.join(fields)}".rstrip())
        self.error_code = error_code
        self.fields = fields


class SessionExpired(Exception):
    """The session is dead: log in again and repeat; nothing was done."""


def translated(error: SalesforceError, operation: str, *, safe: bool) -> Exception:
    """Return our error for an HTTP refusal."""
    first = _first(error.content)
    code, message = str(first.get("errorCode", "")), str(first.get("message", ""))
    if error.status == 401:
        if code == "INVALID_SESSION_ID" and "not valid for use" not in message:
            return SessionExpired()
        return Misconfigured(f"{operation}: HTTP 401 {code}", vendor=VENDOR)
    if not code:
        return _unreadable(error.status, operation, safe=safe)
    return refusal(operation, {**first, "status": error.status}, safe=safe)


def refusal(operation: str, told: dict[str, Any], *, safe: bool) -> ExternalError | NotFound:
    """Return our error for one entry of an error list, of a whole answer or of a part of a composite one."""
    code = str(told.get("errorCode") or told.get("statusCode") or "")
    detail = f"{operation}: {code}"
    if code in _MISSING:
        return NotFound(detail)
    if code == "REQUEST_LIMIT_EXCEEDED":
        return _limit(detail, daily="TotalRequests" in str(told.get("message", "")))
    if code in _PASSING:
        return Busy(detail, vendor=VENDOR)
    if code in _OUR_FAULT:
        return Misconfigured(detail, vendor=VENDOR)
    if code in ("UNKNOWN_EXCEPTION", "SERVER_UNAVAILABLE") or int(told.get("status") or 0) >= 500:
        return lost(detail, safe=safe)
    return SalesforceRejected(operation, code, tuple(str(name) for name in told.get("fields") or ()))


def lost(detail: str, *, safe: bool) -> ExternalUnavailable | OutcomeUnknown:
    """Return the error for an answer that is missing or makes no sense."""
    return (ExternalUnavailable if safe else OutcomeUnknown)(detail, vendor=VENDOR)


def _limit(detail: str, *, daily: bool) -> Busy:
    error = Busy(detail, vendor=VENDOR)
    if daily:
        error.retry_after = _DAILY_LIMIT_PAUSE
    return error


def _unreadable(status: int, operation: str, *, safe: bool) -> ExternalError | NotFound:
    if status == 300:
        return SalesforceRejected(operation, "DUPLICATE_EXTERNAL_ID")
    return lost(f"{operation}: HTTP {status}, unreadable", safe=safe)


def _first(content: object) -> dict[str, Any]:
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return content[0]
    return content if isinstance(content, dict) else {}
