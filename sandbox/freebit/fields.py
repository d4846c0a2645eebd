"""Reading the JSON of a call: everything is text here, and a boolean is a bug of the caller."""

import re
from datetime import date, datetime
from typing import Any

from sandbox.freebit.codes import Body, wrong

ON, OFF = "10", "20"
_ACCOUNT = re.compile(r"\d{11,14}", re.ASCII)
_PRODUCT_NUMBER = re.compile(r"[A-Z]{2}\d{13}", re.ASCII)
_DATE = re.compile(r"(\d{4})([/-]?)(\d{2})\2(\d{2})", re.ASCII)


def text(body: Body, name: str, default: str | None = None) -> str:
    """Return a text or number as text. Raises Refused where it is missing and has no default."""
    value = body.get(name)
    if value in (None, ""):
        if default is None:
            raise wrong(name)
        return default
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise wrong(name)
    return str(value)


def account(body: Body) -> str:
    """Return the account: a phone number, digits only."""
    value = text(body, "account")
    if not _ACCOUNT.fullmatch(value):
        raise wrong("account")
    return value


def flag(body: Body, name: str, default: str = OFF) -> str:
    """Return "10" or "20". Raises Refused for anything else."""
    value = body.get(name, default)
    if value not in (ON, OFF):
        raise wrong(name)
    return str(value)


def day(body: Body, name: str) -> date | None:
    """Return a date written as YYYYMMDD, or with / or - between; None where it is absent."""
    value = text(body, name, "")
    if not value:
        return None
    found = _DATE.fullmatch(value)
    if not found:
        raise wrong(name)
    try:
        return datetime.strptime(found[1] + found[3] + found[4], "%Y%m%d").date()
    except ValueError as error:
        raise wrong(name) from error


def nested(body: Body, name: str) -> Body:
    """Return an inner object, empty where it is absent."""
    value = body.get(name, {})
    if not isinstance(value, dict):
        raise wrong(name)
    return value


def product_number(body: Body) -> str:
    """Return the product number of a SIM: two capitals and thirteen digits; empty where absent."""
    value = text(body, "productNumber", "")
    if value and not _PRODUCT_NUMBER.fullmatch(value):
        raise wrong("productNumber")
    return value


def contract_line(body: Body, default: str | None = None) -> str:
    """Return 4G or 5G."""
    value = text(body, "contractLine", default)
    if value not in ("4G", "5G"):
        raise wrong("contractLine")
    return value


def refuse_booleans(value: Any, name: str = "json") -> None:
    """Refuse a JSON boolean at any depth: flags are "10" and "20"."""
    if isinstance(value, bool):
        raise wrong(name)
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        refuse_booleans(inner, str(key))
