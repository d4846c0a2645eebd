"""Answering GROUP BY and aggregate functions over the rows a query found."""

from collections.abc import Callable
from typing import Any

from sandbox.salesforce.query.soql_syntax import Aggregate, Query, malformed
from sandbox.salesforce.schema import Field
from sandbox.salesforce.tables import Row

Reader = Callable[[str, int], tuple[Field, Callable[[Row], Any]]]

_NUMBERS = ("double", "currency", "int")
_MOST_GROUPS = 2000


def grouped(query: Query, rows: list[Row], reader: Reader, text: str) -> list[Row]:
    """Return one AggregateResult for each group; without GROUP BY, one for all rows.

    Raises SalesforceError for a field that is not grouped by, or that a function cannot take.
    """
    if query.children:
        raise malformed(text, query.object_at, "Sub-selects cannot be used in a query with aggregate functions")
    if not query.group and query.limit is not None:
        raise malformed(text, 0, "Non-grouped query that uses overall aggregate functions cannot also use LIMIT")
    keys = [_key(reader(path, at), at, text) for path, at in query.group]
    groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): rows}
    for row in rows if keys else ():
        groups.setdefault(tuple(_folded(key(row)) for key in keys), []).append(row)
    columns = _columns(query, reader, text)
    found = [{name: compute(members) for name, _, compute in columns} for members in groups.values()]
    found = _in_order(query, columns, found, text)[query.offset :][: query.limit]
    if len(found) > _MOST_GROUPS:
        raise malformed(text, 0, "Aggregate query does not support queryMore()", "EXCEEDED_ID_LIMIT")
    return [{"attributes": {"type": "AggregateResult"}, **record} for record in found]


def _key(found: tuple[Field, Callable[[Row], Any]], at: int, text: str) -> Callable[[Row], Any]:
    field, read = found
    if not field.groupable:
        raise malformed(text, at, f"field '{field.name}' can not be grouped in a query call")
    return read


def sort_key(value: Any) -> Any:
    """Return by what a value sorts: text in any case, null before all."""
    if value is None:
        return (0, "")
    return (1, value.lower() if isinstance(value, str) else value)


Column = tuple[str, str, Callable[[list[Row]], Any]]


def _columns(query: Query, reader: Reader, text: str) -> list[Column]:
    """Return each column's name, what the query calls it, and how a group's value is found."""
    by = {path.lower() for path, _ in query.group}
    columns: list[Column] = []
    for place, (path, at) in enumerate(query.fields):
        if path.lower() not in by:
            raise malformed(text, at, f"Field must be grouped or aggregated: {path}")
        field, read = reader(path, at)
        columns.append((query.aliases.get(place) or field.name, path.lower(), _first(read)))
    unnamed = 0
    for each in query.aggregates:
        name = each.alias or f"expr{unnamed}"
        unnamed += not each.alias
        columns.append((name, f"{each.function}({each.path.lower()})", _computed(each, reader, text)))
    names = [name.lower() for name, _, _ in columns]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise malformed(text, 0, f"duplicate alias: {twice}")
    return columns


def _first(read: Callable[[Row], Any]) -> Callable[[list[Row]], Any]:
    return lambda rows: read(rows[0])


def _computed(each: Aggregate, reader: Reader, text: str) -> Callable[[list[Row]], Any]:
    if not each.path:
        only = "COUNT() must be the only element in the SELECT list"
        raise malformed(text, each.at, only if each.function == "count" else f"{each.function.upper()} needs a field")
    field, read = reader(each.path, each.at)
    if each.function in ("sum", "avg") and field.type not in _NUMBERS:
        raise malformed(
            text, each.at, f"field {field.name} does not support aggregate operator {each.function.upper()}"
        )
    if field.type in ("textarea", "multipicklist", "boolean"):
        raise malformed(
            text, each.at, f"field {field.name} does not support aggregate operator {each.function.upper()}"
        )
    compute = _FUNCTIONS[each.function]
    return lambda rows: compute([value for value in map(read, rows) if value is not None])


_FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "count_distinct": lambda values: len(set(map(_folded, values))),
    "sum": lambda values: sum(values) if values else None,
    "avg": lambda values: sum(values) / len(values) if values else None,
    "min": lambda values: min(values, key=sort_key, default=None),
    "max": lambda values: max(values, key=sort_key, default=None),
}


def _in_order(query: Query, columns: list[Column], found: list[Row], text: str) -> list[Row]:
    called = {said: name for name, said, _ in columns}
    for path, descending, nulls_last, at in reversed(query.order):
        name = called.get(path.lower())
        if name is None:
            raise malformed(text, at, f"Ordered field must be grouped or aggregated: {path}")
        found = sorted(found, key=lambda row: sort_key(row[name]), reverse=descending)
        found = sorted(found, key=lambda row: (row[name] is None) == nulls_last)
    return found


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
