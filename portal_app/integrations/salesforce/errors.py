"""Salesforce's refusals as errors of ours. Their texts and addresses quote customers' data, so only codes are kept."""

from typing import Any

from simple_salesforce.exceptions import SalesforceError

from portal_app.domain.errors import ExternalError, ExternalRejected, ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.integrations.throttling.vendor_call import Busy, Misconfigured

VENDOR = "salesforce"
# Nothing was written, and the same call may succeed in a moment.
_PASSING = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",
        "QUERY_TIMEOUT",
        "REQUEST_RUNNING_TOO_LONG",
        "TOO_MANY_APEX_REQUESTS",
        "PLATFORM_EVENT_PUBLISHING_UNAVAILABLE",
    }
)
# An operator must act; until then every call fails.
_OUR_FAULT = frozenset(
    {
        "API_DISABLED_FOR_ORG",
        "API_CURRENTLY_DISABLED",
        "FORBIDDEN",
        "FUNCTIONALITY_NOT_ENABLED",
        "UNSUPPORTED_API_VERSION",
    }
)
_MISSING = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "MALFORMED_ID"})
# Session errors that a new login does not fix.
_NOT_FOR_REST = ("not valid for use", "not attached to Agent")
_SLOW_DOWN = frozenset({420, 429})
# A proxy or the edge may answer these with a page while the org is well.
_PERHAPS_PASSING = frozenset({401, 403, 404, 408})
_LIMIT_PAUSE = 3600


class SalesforceRejected(ExternalRejected):
    """Salesforce understood and refused; `error_code` is its own, `fields` names what was wrong."""

    vendor = VENDOR

    def __init__(self, operation: str, error_code: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{operation}: {error_code} {', '.join(fields)}".rstrip())
        self.error_code = error_code
        self.fields = fields


class SessionExpired(Exception):
    """The session is dead: log in again and repeat; nothing was done."""


class DailyLimit(Busy):
    """The org has used up its requests of the day."""


def translated(error: SalesforceError, operation: str, *, safe: bool, asked: int | None = None) -> Exception:
    """Return our error for an HTTP refusal; `asked` is the Retry-After it came with, in seconds."""
    first = _first(error.content)
    code, message = str(first.get("errorCode", "")), str(first.get("message", ""))
    if error.status == 401 and code:
        if code == "INVALID_SESSION_ID" and not any(words in message for words in _NOT_FOR_REST):
            return SessionExpired()
        return Misconfigured(f"{operation}: HTTP 401 {code}", vendor=VENDOR)
    found = refusal(operation, {**first, "status": error.status}, safe=safe) if code else None
    found = found or _unreadable(error.status, operation, safe=safe)
    if asked is not None and isinstance(found, ExternalUnavailable):
        found.retry_after = asked
    return found


def refusal(operation: str, entry: dict[str, Any], *, safe: bool) -> ExternalError | NotFound:
    """Return our error for one entry of an error list, of a whole answer or of a part of a composite one."""
    code, message = str(entry.get("errorCode") or entry.get("statusCode") or ""), str(entry.get("message", ""))
    detail = f"{operation}: {code}"
    if code in _MISSING:
        return NotFound(detail)
    if code == "REQUEST_LIMIT_EXCEEDED" and "TotalRequests" in message:
        return _later(DailyLimit(detail, vendor=VENDOR))
    if code == "LIMIT_EXCEEDED":
        return _later(Busy(detail, vendor=VENDOR))
    # A trigger that met a locked row says so within its own error.
    if code in _PASSING or code == "REQUEST_LIMIT_EXCEEDED" or "UNABLE_TO_LOCK_ROW" in message:
        return Busy(detail, vendor=VENDOR)
    if code in _OUR_FAULT:
        return Misconfigured(detail, vendor=VENDOR)
    if code in ("UNKNOWN_EXCEPTION", "SERVER_UNAVAILABLE") or _status(entry) >= 500:
        return lost(detail, safe=safe)
    return SalesforceRejected(operation, code, _names(entry.get("fields")))


def lost(detail: str, *, safe: bool) -> ExternalUnavailable | OutcomeUnknown:
    """Return the error for an answer that is missing or makes no sense."""
    return (ExternalUnavailable if safe else OutcomeUnknown)(detail, vendor=VENDOR)


def _later(error: Busy) -> Busy:
    error.retry_after = _LIMIT_PAUSE
    return error


def _unreadable(status: int, operation: str, *, safe: bool) -> ExternalError | NotFound:
    if status == 300:
        return SalesforceRejected(operation, "DUPLICATE_EXTERNAL_ID")
    detail = f"{operation}: HTTP {status}, unreadable"
    if status in _SLOW_DOWN:
        return Busy(detail, vendor=VENDOR)
    if status in _PERHAPS_PASSING:
        return ExternalUnavailable(detail, vendor=VENDOR)
    if 400 <= status < 500:
        return SalesforceRejected(operation, f"HTTP_{status}")
    return lost(detail, safe=safe)


def _status(entry: dict[str, Any]) -> int:
    status = entry.get("status")
    return status if isinstance(status, int) else 0


def _names(fields: object) -> tuple[str, ...]:
    return tuple(str(name) for name in fields) if isinstance(fields, list) else ()


def _first(content: object) -> dict[str, Any]:
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return content[0]
    return content if isinstance(content, dict) else {}
