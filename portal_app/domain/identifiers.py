"""Parsers and formatters for customer numbers, Salesforce ids and the portal's references at vendors."""

import re
from uuid import UUID

from portal_app.domain.errors import NotFound

_SALESFORCE_ID = re.compile(r"[A-Za-z0-9]{15}([A-Z0-5]{3})?", re.ASCII)
_CUSTOMER_NUMBER = re.compile(r"C\d{8}", re.ASCII)
# The largest value of an integer column in MySQL (WHMCS) and in our mirror tables.
LARGEST_NUMBER = 2**31 - 1
_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def salesforce_id(text: str) -> str:
    """Return the 18-character form of a 15- or 18-character id. Raises ValueError (Salesforce REST guide, ids)."""
    if not _SALESFORCE_ID.fullmatch(text):
        raise ValueError("not a Salesforce id")
    full = text[:15] + "".join(_checksum_character(text[start : start + 5]) for start in (0, 5, 10))
    if len(text) == 18 and text != full:
        raise ValueError("not a Salesforce id: its checksum is wrong")
    return full


def customer_number(sequence: int) -> str:
    """Return the customer number for a value of the sequence, such as C00000042."""
    return f"C{sequence:08d}"


def is_customer_number(text: str) -> bool:
    """Return whether a text has the form of a customer number."""
    return bool(_CUSTOMER_NUMBER.fullmatch(text))


def our_id(text: str) -> UUID:
    """Parse an id from a request. Raises NotFound, so that malformed and unknown ids look the same."""
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError) as error:
        raise NotFound("malformed id") from error


def our_id_or_none(text: str) -> UUID | None:
    """Return the id that a vendor stores for us, or None for other texts."""
    try:
        return UUID(text)
    except ValueError:
        return None


def vendor_number(text: str | int) -> int:
    """Parse a WHMCS number from a request. Raises NotFound."""
    digits = str(text)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 12) or int(digits) > LARGEST_NUMBER:
        raise NotFound("malformed number")
    return int(digits)


def step_reference(order_id: UUID, step: str, attempt: int) -> str:
    """Return the reference of one remote effect of an order; the vendor is searched for it before a second call."""
    return f"{order_id}:{step}:{attempt}"


def order_of_reference(reference: str) -> UUID | None:
    """Return the order id of a reference made by `step_reference`, or None for other texts."""
    return our_id_or_none(reference.partition(":")[0]) if reference.count(":") == 2 else None


def _checksum_character(group: str) -> str:
    return _CHECKSUM[sum(1 << index for index, character in enumerate(group) if character.isupper())]
