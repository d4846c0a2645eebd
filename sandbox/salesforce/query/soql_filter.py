"""Deciding whether a row meets a query's WHERE clause."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.ids import is_id, to_18
from sandbox.salesforce.query.soql_syntax import Compare, Literal, Logic
from sandbox.salesforce.schema import Field, Object
from sandbox.salesforce.values import datetime_text, parse_datetime

Test = Callable[[Any], bool]

_NUMBERS = ("double", "currency", "int")
_DAY = timedelta(days=1)


def filter_for(field: Field, compare: Compare, now: datetime) -> Test:
    """Return the test that a field's value must pass. Raises SalesforceError when the literal does not fit."""
    if field.type == "textarea":
        raise SalesforceError("INVALID_FIELD", f"field '{field.name}' can not be filtered in a query call")
    if compare.operator in ("in", "not in"):
        wanted = {_folded(_value(field, each, now)) for each in compare.value}
        return lambda value: (_folded(value) in wanted) == (compare.operator == "in")
    if compare.operator in ("includes", "excludes"):
        return _includes(field, compare)
    if compare.operator == "like":
        return _like(field, compare.value)
    if compare.value.kind in ("date", "relative"):
        return _within_days(field, compare, now)
    return _ordered(compare.operator, _value(field, compare.value, now))


def check_filter(obj: Object, where: Any) -> None:
    """Refuse a query on an object that demands a filter and has none. Raises SalesforceError MALFORMED_QUERY."""
    if not obj.filtered_by:
        return
    parts = where.parts if isinstance(where, Logic) and where.operator == "and" else (where,)
    wanted = [name.lower() for name in obj.filtered_by]
    if not any(
        isinstance(part, Compare) and part.operator in ("=", "in") and part.path.lower() in wanted for part in parts
    ):
        raise SalesforceError(
            "MALFORMED_QUERY",
            f"Implementation restriction: {obj.name} requires a filter by a single Id on {' or '.join(obj.filtered_by)}"
            " using the equals operator or multiple Id's using the IN operator.",
        )


def _ordered(operator: str, wanted: Any) -> Test:
    wanted = _folded(wanted)
    if operator in ("=", "!="):
        return lambda value: (_folded(value) == wanted) == (operator == "=")
    if wanted is None:
        return lambda value: False
    return lambda value: value is not None and _COMPARE[operator](_folded(value), wanted)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def _includes(field: Field, compare: Compare) -> Test:
    if field.type != "multipicklist":
        raise SalesforceError("INVALID_QUERY_FILTER_OPERATOR", f"{field.name} is no multi-select picklist")
    groups = [set(str(literal.value).lower().split(";")) for literal in compare.value]

    def test(value: Any) -> bool:
        chosen = set((value or "").lower().split(";"))
        return any(group <= chosen for group in groups) == (compare.operator == "includes")

    return test


def _like(field: Field, literal: Literal) -> Test:
    if literal.kind != "string" or field.type in ("id", "reference", "boolean", "date", "datetime", *_NUMBERS):
        raise SalesforceError("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {field.type} field: {field.name}")
    parts = re.findall(r"\\.|%|_|[^\\%_]+|\\", literal.value, flags=re.DOTALL)
    pattern = "".join({"%": ".*", "_": "."}.get(part) or re.escape(_plain(part)) for part in parts)
    compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda value: value is not None and compiled.fullmatch(value) is not None


def _plain(part: str) -> str:
    return part[1:] if len(part) > 1 and part[0] == "\\" else part


def _within_days(field: Field, compare: Compare, now: datetime) -> Test:
    if field.type not in ("date", "datetime"):
        raise _mismatch(field)
    if field.type == "datetime" and compare.value.kind == "date":
        raise _mismatch(field)
    first, after = _span(compare.value, now)
    start, end = (_as_kept(field, moment) for moment in (first, after))
    tests: dict[str, Test] = {
        "=": lambda value: value is not None and start <= value < end,
        "!=": lambda value: value is None or not start <= value < end,
        "<": lambda value: value is not None and value < start,
        "<=": lambda value: value is not None and value < end,
        ">": lambda value: value is not None and value >= end,
        ">=": lambda value: value is not None and value >= start,
    }
    return tests[compare.operator]


def _span(literal: Literal, now: datetime) -> tuple[datetime, datetime]:
    try:
        return _days(literal, now)
    except (OverflowError, ValueError) as error:
        raise SalesforceError("MALFORMED_QUERY", f"Date out of range: {literal.value}") from error


def _days(literal: Literal, now: datetime) -> tuple[datetime, datetime]:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if literal.kind == "date":
        day = parse_datetime(literal.value)
        if day is None:
            raise SalesforceError("MALFORMED_QUERY", f"Invalid date: {literal.value}")
        return day, day + _DAY
    name, _, count = literal.value.partition(":")
    if name == "LAST_N_DAYS":
        return today - int(count) * _DAY, today + _DAY
    if name == "NEXT_N_DAYS":
        return today + _DAY, today + (int(count) + 1) * _DAY
    if name in _DAYS_OFF:
        day = today + _DAYS_OFF[name] * _DAY
        return day, day + _DAY
    which, _, unit = name.partition("_")
    begin = {"WEEK": _week, "MONTH": _month, "YEAR": _year}[unit]
    step = {"LAST": -1, "THIS": 0, "NEXT": 1}[which]
    return begin(today, step), begin(today, step + 1)


_DAYS_OFF = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}


def _week(today: datetime, step: int) -> datetime:
    # Weeks begin on Sunday, as in the org's locale by default.
    return today - (today.isoweekday() % 7) * _DAY + 7 * step * _DAY


def _month(today: datetime, step: int) -> datetime:
    month = today.year * 12 + today.month - 1 + step
    return today.replace(year=month // 12, month=month % 12 + 1, day=1)


def _year(today: datetime, step: int) -> datetime:
    return today.replace(year=today.year + step, month=1, day=1)


def _as_kept(field: Field, moment: datetime) -> str:
    return moment.date().isoformat() if field.type == "date" else datetime_text(moment)


def _value(field: Field, literal: Literal, now: datetime) -> Any:
    if literal.kind == "null":
        return None
    if literal.kind in ("date", "relative"):
        return _as_kept(field, _span(literal, now)[0])
    if field.type in ("id", "reference"):
        return _id(field, literal)
    if literal.kind != _wanted_kind(field):
        raise _mismatch(field)
    if literal.kind == "datetime":
        moment = parse_datetime(literal.value)
        if moment is None:
            raise SalesforceError("MALFORMED_QUERY", f"Invalid datetime: {literal.value}")
        return datetime_text(moment)
    return literal.value


def _id(field: Field, literal: Literal) -> str:
    if literal.kind != "string":
        raise _mismatch(field)
    if literal.value and not is_id(literal.value):
        raise SalesforceError("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.value}")
    return to_18(literal.value) if literal.value else ""


def _wanted_kind(field: Field) -> str:
    if field.type in _NUMBERS:
        return "number"
    return field.type if field.type in ("boolean", "date", "datetime") else "string"


def _mismatch(field: Field) -> SalesforceError:
    wanted = _wanted_kind(field)
    quotes = "should be enclosed in quotes" if wanted == "string" else "should not be enclosed in quotes"
    message = f"value of filter criterion for field '{field.name}' must be of type {field.type} and {quotes}"
    return SalesforceError("INVALID_FIELD", message)


def _folded(value: Any) -> Any:
    if isinstance(value, str) and not is_id(value):
        return value.lower() or None
    return value
