"""Salesforce's error answers as one exception."""

from collections.abc import Sequence
from typing import Any


class SalesforceError(Exception):
    """A refused call: HTTP status, error code, message and, for row validation, the fields at fault."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        fields: Sequence[str] = (),
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.more = more or {}
        self.code = code
        self.message = message
        self.status = status
        self.fields = list(fields)

    def as_body(self) -> list[dict[str, Any]]:
        """Return the array that REST resources answer with."""
        body: dict[str, Any] = {"message": self.message, "errorCode": self.code, **self.more}
        if self.fields or self.code in _NAMES_FIELDS:
            body["fields"] = self.fields
        return [body]

    def as_result(self) -> dict[str, Any]:
        """Return the entry that collection results carry in `errors`."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}


_NAMES_FIELDS = {
    "DUPLICATE_VALUE",
    "FAILED_ACTIVATION",
    "FIELD_INTEGRITY_EXCEPTION",
    "INVALID_CROSS_REFERENCE_KEY",
    "STANDARD_PRICE_NOT_DEFINED",
    "UNABLE_TO_LOCK_ROW",
}


def not_found(message: str = "The requested resource does not exist") -> SalesforceError:
    """Return the answer for a resource or row that is not there."""
    return SalesforceError("NOT_FOUND", message, status=404)
