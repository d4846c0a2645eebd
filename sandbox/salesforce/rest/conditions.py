"""Conditional requests: what If-Match and kin say about a row, and since when something is unchanged."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.schema import Object
from sandbox.salesforce.tables import Row
from sandbox.salesforce.values import parse_datetime

# The only object whose rows the vendor gives entity tags.
_TAGGED = "Account"


def tag_header(obj: Object, row: Row) -> dict[str, str]:
    """Return the ETag header of a row, none for objects without."""
    return {"ETag": f'"{_tag(row)}"'} if obj.name == _TAGGED else {}


def unmet(obj: Object, row: Row, headers: Mapping[str, str], *, reading: bool) -> int | None:
    """Return the status that a request's conditions on a row demand, None when they hold. Raises SalesforceError."""
    unchanged = 304 if reading else 412
    if obj.name == _TAGGED:
        if not _names(headers.get("if-match", "*"), row):
            return 412
        if "if-none-match" in headers:
            # A tag that matches says more than a date.
            return unchanged if _names(headers["if-none-match"], row) else None
    changed_at = parse_datetime(row["SystemModstamp"]) or datetime.now(UTC)
    if is_unchanged_since(changed_at, headers.get("if-modified-since")):
        return unchanged
    wanted = headers.get("if-unmodified-since")
    return 412 if wanted and not is_unchanged_since(changed_at, wanted) else None


def is_unchanged_since(changed_at: datetime, http_date: str | None) -> bool:
    """Say whether a date is given and the last change is not after it. Raises SalesforceError INVALID_HEADER."""
    if http_date is None:
        return False
    try:
        since = parsedate_to_datetime(http_date)
    except (OverflowError, ValueError) as error:
        raise SalesforceError("INVALID_HEADER", f"Invalid HTTP date: {http_date}") from error
    return changed_at <= (since if since.tzinfo else since.replace(tzinfo=UTC))


def _names(tags: str, row: Row) -> bool:
    """Say whether a list of tags names this state of the row; `-gzip` is what the vendor's proxies add."""
    given = [each.strip().removeprefix("W/").strip('"').removesuffix("-gzip") for each in tags.split(",")]
    return "*" in given or _tag(row) in given


def _tag(row: Row) -> str:
    digest = hashlib.sha1(json.dumps(row, sort_keys=True).encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()
