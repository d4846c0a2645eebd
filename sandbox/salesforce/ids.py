"""Salesforce record ids: 15 case-sensitive characters, or 18 with a checksum of their case."""

import re

_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}([0-9A-Za-z]{3})?")


def to_18(record_id: str) -> str:
    """Return the 18-character form of a 15- or 18-character id; a wrong checksum is put right."""
    stem = record_id[:15]
    return stem + "".join(_checksum(stem[start : start + 5]) for start in (0, 5, 10))


def is_id(text: object) -> bool:
    """Say whether `text` has the shape of an id."""
    return isinstance(text, str) and _SHAPE.fullmatch(text) is not None


def make_id(prefix: str, number: int) -> str:
    """Return the 18-character id of the `number`-th record with a key prefix of three characters."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return to_18(f"{prefix}xx" + digits.rjust(10, "0"))


def _checksum(five: str) -> str:
    return _CHECKSUM[sum(1 << place for place, letter in enumerate(five) if "A" <= letter <= "Z")]
