"""Turning what a caller sends for a field into what the org keeps, or refusing it as Salesforce does."""

import math
import re
from datetime import UTC, date, datetime, time
from typing import Any

from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.ids import is_id, to_18
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.schema import Field

_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+")
_JSON_NAMES = {bool: "VALUE_TRUE", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT", str: "VALUE_STRING"}


def stored_value(field: Field, value: Any) -> Any:
    """Return the value as kept: JSON types, datetimes as text in UTC. Raises SalesforceError."""
    if value is None or value == "":
        return field.default if field.type == "boolean" else None
    convert = _CONVERSIONS.get(field.type, _text)
    return convert(field, value)


def datetime_text(moment: datetime) -> str:
    """Return a moment in the form that rows carry: UTC, milliseconds, offset without a colon."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_json(field, value, "string")
    clean = value if field.type == "textarea" else value.strip()
    size = len(clean.encode()) if field.name == "CommentBody" else len(clean)
    if field.length and size > field.length:
        raise SalesforceError(
            "STRING_TOO_LONG",
            f"{field.caption}: data value too large: {clean} (max length={field.length})",
            fields=[field.name],
        )
    return clean


def _email(field: Field, value: Any) -> str:
    clean = _text(field, value)
    if not _EMAIL.fullmatch(clean):
        message = f"{field.caption}: invalid email address: {clean}"
        raise SalesforceError("INVALID_EMAIL_ADDRESS", message, fields=[field.name])
    return clean


def _picklist(field: Field, value: Any) -> str:
    clean = _text(field, value)
    if field.restricted and clean not in field.values:
        raise _bad_choice(field, clean)
    return clean


def _multipicklist(field: Field, value: Any) -> str:
    chosen = [part.strip() for part in _text(field, value).split(";") if part.strip()]
    for part in chosen:
        if field.restricted and part not in field.values:
            raise _bad_choice(field, part)
    return ";".join(sorted(chosen, key=field.values.index) if field.restricted else chosen)


def _bad_choice(field: Field, value: str) -> SalesforceError:
    message = f"{field.caption}: bad value for restricted picklist field: {value}"
    return SalesforceError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=[field.name])


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _wrong_json(field, value, "boolean")


def _number(field: Field, value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _wrong_json(field, value, field.type)
    try:
        number = float(value)
    except (OverflowError, ValueError) as error:
        raise _wrong_json(field, value, field.type) from error
    if not math.isfinite(number):
        raise _wrong_json(field, value, field.type)
    return int(number) if field.type == "int" else number


def _date(field: Field, value: Any) -> str:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value[:10]).isoformat()
        except ValueError as error:
            raise _wrong_json(field, value, "date") from error
    raise _wrong_json(field, value, "date")


def _datetime(field: Field, value: Any) -> str:
    moment = parse_datetime(value) if isinstance(value, str) else None
    if moment is None:
        raise _wrong_json(field, value, "datetime")
    return datetime_text(moment)


def parse_datetime(value: str) -> datetime | None:
    """Return the moment an ISO 8601 text names (a bare date is its midnight in UTC), or None."""
    try:
        moment = datetime.fromisoformat(value)
        if len(value) == len("2026-01-31"):
            return datetime.combine(moment.date(), time(), UTC)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        return None


def _reference(field: Field, value: Any) -> str:
    right = is_id(value) and (not field.to or value.startswith(OBJECTS[field.to].prefix))
    if not right:
        message = f"{field.caption.removesuffix('Id').strip()} ID: id value of incorrect type: {value}"
        raise SalesforceError("MALFORMED_ID", message, fields=[field.name])
    return to_18(value)


def _wrong_json(field: Field, value: Any, wanted: str) -> SalesforceError:
    kind = "VALUE_FALSE" if value is False else _JSON_NAMES.get(type(value), "START_OBJECT")
    message = (
        f"Cannot deserialize instance of {wanted} from {kind} value {value} or request may be missing a "
        f"required field at [line:1, column:1] ({field.name})"
    )
    return SalesforceError("JSON_PARSER_ERROR", message)


_CONVERSIONS = {
    "boolean": _boolean,
    "currency": _number,
    "date": _date,
    "datetime": _datetime,
    "double": _number,
    "email": _email,
    "id": _reference,
    "int": _number,
    "multipicklist": _multipicklist,
    "picklist": _picklist,
    "reference": _reference,
}
