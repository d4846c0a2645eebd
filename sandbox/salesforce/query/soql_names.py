"""The names a query uses: an object's own name or alias before a field is dropped."""

from dataclasses import replace
from typing import Any

from sandbox.salesforce.query.soql_syntax import Compare, Logic, Query
from sandbox.salesforce.schema import Object


def with_own_names(query: Query, obj: Object) -> Query:
    """Return the query with every field of the object itself named bare: `Account.Name` and `a.Name` are `Name`."""
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
        fields=[(bare(path), at) for path, at in query.fields],
        aggregates=[replace(each, path=bare(each.path)) for each in query.aggregates],
        group=[(bare(path), at) for path, at in query.group],
        where=condition(query.where),
        order=[(_ordered(path, bare), *rest) for path, *rest in query.order],
    )


def _ordered(path: str, bare: Any) -> str:
    function, bracket, inner = path.partition("(")
    return f"{function}({bare(inner[:-1])})" if bracket else bare(path)
