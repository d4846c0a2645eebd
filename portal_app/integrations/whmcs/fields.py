"""Single values as WHMCS sends them: lists, numbers, booleans, dates and money in all spellings."""

import html
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from portal_app.domain.money import Money

Row = Mapping[str, Any]
_YES = frozenset({"true", "1", "on", "yes"})
_NO = frozenset({"false", "0", "off", "no", "", "none"})


def rows(body: Row, plural: str, singular: str = "") -> list[Row]:
    """Return a list of objects out of any of its wrappings; "", null, {}, [] and a missing key are no rows."""
    value = body.get(plural)
    if singular and isinstance(value, Mapping) and singular in value:
        value = value[singular]
    return [item for item in _items(value) if isinstance(item, Mapping) and item]


def number(row: Row, name: str) -> int:
    """Read a whole number sent as a number or text. Raises ValueError."""
    value = row.get(name)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{name} is no number")
    with _named(name, "no number"):
        return int(value)


def number_or_none(row: Row, name: str) -> int | None:
    """Read a reference that may be absent: missing, empty and 0 are None. Raises ValueError."""
    return (number(row, name) or None) if row.get(name) not in (None, "", "0", 0) else None


def numbers(row: Row, name: str) -> tuple[int, ...]:
    """Read a comma-separated list of numbers. Raises ValueError."""
    return tuple(int(part) for part in str(row.get(name) or "").split(",") if part.strip())


def truth(row: Row, name: str) -> bool:
    """Read a boolean in any spelling. Raises ValueError."""
    word = str(row.get(name, "")).strip().lower()
    if word not in _YES | _NO:
        raise ValueError(f"{name} is no boolean")
    return word in _YES


def text(row: Row, name: str) -> str:
    """Read a text; HTML entities are undone once, because WHMCS stores names as its web pages escaped them.

    A list or an object is no text: PHP writes an empty value as [] too.
    """
    value = row.get(name)
    return html.unescape(str(value)).strip() if isinstance(value, str | int | float) else ""


def day(row: Row, name: str) -> date | None:
    """Read a date; empty and zero dates are None. Raises ValueError."""
    value = str(row.get(name) or "")[:10]
    with _named(name, "no date"):
        return date.fromisoformat(value) if value and not value.startswith("0000") else None


def moment(row: Row, name: str, zone: ZoneInfo) -> datetime | None:
    """Read a naive local time as UTC; empty and zero times are None. Raises ValueError."""
    value = str(row.get(name) or "")
    if not value or value.startswith("0000"):
        return None
    with _named(name, "no time"):
        return datetime.fromisoformat(value).replace(tzinfo=zone).astimezone(UTC)


def money(row: Row, name: str, currency: str) -> Money:
    """Read an amount to show, rounded half up to whole yen; a missing one is zero. Raises ValueError."""
    with _named(name, "no amount"):
        return Money.parse_rounded(_amount(row, name), currency)


def exact_money(row: Row, name: str, currency: str) -> Money:
    """Read an amount to compare with another; a missing one is zero. Raises ValueError, also for parts of a yen."""
    with _named(name, "no whole amount"):
        return Money.parse(_amount(row, name), currency)


def is_yes(row: Row, name: str) -> bool:
    """Return whether a field says yes; whatever else it says is no."""
    return str(row.get(name, "")).strip().lower() in _YES


def names_id(row: Row, name: str, wanted: int) -> bool:
    """Return whether a field has this id; one that cannot be read has another."""
    try:
        return number(row, name) == wanted
    except ValueError:
        return False


def _amount(row: Row, name: str) -> str:
    value = row.get(name)
    return str(value) if value not in (None, "") else "0"


@contextmanager
def _named(name: str, what: str) -> Iterator[None]:
    """Say which field cannot be read, and not what is in it: the reason is logged."""
    try:
        yield
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ValueError(f"{name} is {what}") from error


def _items(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping):
        return list(value.values()) if all(str(key).isdigit() for key in value) else [value]
    return []
