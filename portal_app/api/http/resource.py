"""Resources of the API: each is declared once, and its JSON, its OpenAPI schema and its reading come from that."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Self, Union, get_args, get_origin, get_type_hints

from portal_app.api.http.money import Amount, amount

Conversion = Callable[[Any], Any]
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class From:
    """Where a field's value is: an attribute of the domain value, and what converts it.

    Without it, the attribute has the field's name and the field's type says how to convert it.
    """

    attribute: str
    convert: Conversion | None = None


class Resource:
    """What the API shows of a domain value. Subclasses are dataclasses, and orjson writes their fields in order.

    They are not frozen and have no slots: orjson and `__init__` would need twice the time for a list of 100.
    """

    @classmethod
    def from_domain(cls, value: Any, **given: Any) -> Self:
        """Return the resource of a domain value; `given` holds the fields that the value does not have."""
        reading = _reading(cls, frozenset(given))
        values = list(reading.fetch(value))
        for index, convert in reading.conversions:
            values[index] = convert(values[index])
        return cls(**dict(zip(reading.names, values, strict=True)), **given)

    @classmethod
    def from_optional(cls, value: Any) -> Self | None:
        """Return the resource of a domain value, None for None."""
        return None if value is None else cls.from_domain(value)

    @classmethod
    def list_of(cls, values: Iterable[Any]) -> list[Self]:
        """Return the resources of several domain values."""
        reading = _reading(cls, _NOTHING)
        # Field by field over all values: half the time of value by value.
        columns: list[Iterable[Any]] = list(zip(*map(reading.fetch, values), strict=True))
        if not columns:
            return []
        for index, convert in reading.conversions:
            columns[index] = map(convert, columns[index])
        return list(map(cls, *columns))


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a resource is read: its fields, what fetches all their values, and which of them are converted."""

    names: list[str]
    fetch: Callable[[Any], tuple[Any, ...]]
    conversions: list[tuple[int, Conversion]]


@cache
def _reading(kind: type[Any], given: frozenset[str]) -> _Reading:
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in fields(kind) if field.name not in given]
    sources = [_source(name, hints[name]) for name in names]
    conversions = [(index, source.convert) for index, source in enumerate(sources) if source.convert]
    # Every resource has two fields or more: with one name, attrgetter would return the bare value.
    return _Reading(names, attrgetter(*(source.attribute for source in sources)), conversions)


def _source(name: str, hint: Any) -> From:
    kind, *marks = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    source = next((mark for mark in marks if isinstance(mark, From)), From(name))
    return source if source.convert else From(source.attribute, _conversion(kind))


def _conversion(hint: Any) -> Conversion | None:
    """Return what turns an attribute into a field of this type, None where it is one already."""
    if hint is Amount:
        return amount
    if isinstance(hint, type) and issubclass(hint, Resource):
        return hint.from_domain
    kind, parts = get_origin(hint), get_args(hint)
    if kind is list and isinstance(parts[0], type) and issubclass(parts[0], Resource):
        return parts[0].list_of
    if kind in (list, dict):
        return kind
    if kind in (Union, UnionType):
        inner = next((found for part in parts if part is not NoneType and (found := _conversion(part))), None)
        return (lambda value: None if value is None else inner(value)) if inner else None
    return None
