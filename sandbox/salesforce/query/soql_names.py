"""The names a query uses: its own object's name is dropped, FIELDS() is spelled out, none may come twice."""

from dataclasses import replace
from typing import Any

from sandbox.salesforce.query.soql_syntax import Compare, Logic, Query, malformed
from sandbox.salesforce.schema import Object

_MOST_ROWS_OF_ALL = 200


def with_own_names(query: Query, obj: Object, text: str) -> Query:
    """Return the query with every field of the object itself named bare: `Account.Name` and `a.Name` are `Name`.

    Raises SalesforceError for a field selected twice, and for FIELDS(ALL) without a limit.
    """
    own = {name.lower() for name in (query.alias, obj.name) if name and obj.parent(name) is None}

    def bare(path: str) -> str:
        head, _, rest = path.partition(".")
        return bare(rest) if rest and head.lower() in own else path

    def condition(each: Any) -> Any:
        if isinstance(each, Logic):
            return Logic(each.operator, tuple(condition(part) for part in each.parts))
        return replace(each, path=bare(each.path)) if isinstance(each, Compare) else each

    return replace(
        query,
        fields=_selected(query, obj, [(bare(path), at) for path, at in query.fields], text),
        aggregates=[replace(each, path=bare(each.path)) for each in query.aggregates],
        group=[(bare(path), at) for path, at in query.group],
        where=condition(query.where),
        order=[(_ordered(path, bare), *rest) for path, *rest in query.order],
    )


def _ordered(path: str, bare: Any) -> str:
    function, bracket, inner = path.partition("(")
    return f"{function}({bare(inner[:-1])})" if bracket else bare(path)


def _selected(query: Query, obj: Object, fields: list[tuple[str, int]], text: str) -> list[tuple[str, int]]:
    found = [(name, at) for path, at in fields for name in _spelled_out(query, obj, path, at, text)]
    known: set[str] = set()
    for path, at in found:
        if path.lower() in known and not query.group:
            raise malformed(text, at, f"duplicate field selected: {path}", "INVALID_FIELD")
        known.add(path.lower())
    return found


def _spelled_out(query: Query, obj: Object, path: str, at: int, text: str) -> list[str]:
    which = path.removeprefix("FIELDS(").removesuffix(")") if path.startswith("FIELDS(") else ""
    if not which:
        return [path]
    if which != "STANDARD" and (query.limit is None or query.limit > _MOST_ROWS_OF_ALL):
        most = f"The SOQL FIELDS function must have a LIMIT of at most {_MOST_ROWS_OF_ALL}"
        raise malformed(text, at, most)
    custom = {"ALL": (True, False), "CUSTOM": (True,), "STANDARD": (False,)}[which]
    return [field.name for field in obj.fields if field.name.endswith("__c") in custom]
