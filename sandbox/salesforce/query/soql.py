"""Answering SOQL queries from the tables: fields, parents, one level of children, filters, order and limits."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.ids import is_id, to_18
from sandbox.salesforce.objects import OBJECTS, find_object
from sandbox.salesforce.query.soql_filter import check_filter, filter_for
from sandbox.salesforce.query.soql_groups import grouped, sort_key
from sandbox.salesforce.query.soql_names import with_own_names
from sandbox.salesforce.query.soql_syntax import Compare, Literal, Logic, Query, malformed, parse
from sandbox.salesforce.schema import Field, Object
from sandbox.salesforce.tables import Row, Tables

API_PATH = "/services/data/v62.0"
_ADDRESS_PARTS = {
    "street": "Street",
    "city": "City",
    "state": "State",
    "postalCode": "PostalCode",
    "country": "Country",
}


# An owner is a user or a queue: queries may ask which, though neither object has such a field.
_KIND = Field("Type", "string")


@dataclass
class Answer:
    """What a query found. `total` counts even where COUNT() leaves `records` empty."""

    total: int
    records: list[Row]


def run(tables: Tables, now: datetime, text: str, *, deleted_too: bool = False, api_path: str = API_PATH) -> Answer:
    """Answer a query. Raises SalesforceError MALFORMED_QUERY, INVALID_FIELD, INVALID_TYPE and kin."""
    query = parse(text)
    obj = find_object(query.object_name)
    if obj is None or obj.kind != "row":
        what = (
            f"sObject type '{query.object_name}' is not supported. If you are attempting to use a custom object, be "
            "sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
            "appropriate names."
        )
        raise malformed(text, query.object_at, what, "INVALID_TYPE")
    return _Run(tables, now, text, deleted_too=deleted_too, api_path=api_path).answer(
        obj, with_own_names(query, obj, text)
    )


def record_head(obj: Object, row: Row, api_path: str = API_PATH) -> Row:
    """Return the `attributes` part that every record carries."""
    return {"attributes": {"type": obj.name, "url": f"{api_path}/sobjects/{obj.name}/{row['Id']}"}}


def compound_address(obj: Object, name: str, row: Row) -> tuple[bool, Row | None]:
    """Return whether `name` is a compound address of the object, and its value (None when all parts are)."""
    prefix = name[: -len("Address")]
    if not name.lower().endswith("address") or obj.field(prefix + "Street") is None:
        return False, None
    value = {key: _own(obj, row, prefix + part) for key, part in _ADDRESS_PARTS.items()}
    return True, value if any(part is not None for part in value.values()) else None


def _asks_kind(link: Field, rest: str) -> bool:
    return link.name == "OwnerId" and rest.lower() == _KIND.name.lower()


def _own(obj: Object, row: Row, name: str) -> Any:
    field = obj.field(name)
    return row.get(field.name, field.default) if field else None


class _Run:
    def __init__(self, tables: Tables, now: datetime, text: str, *, deleted_too: bool, api_path: str) -> None:
        self._tables = tables
        self._now = now
        self._text = text
        self._deleted_too = deleted_too
        self._api_path = api_path
        self._parents: dict[str, Row | None] = {}

    def answer(self, obj: Object, query: Query, rows: Iterable[Row] | None = None) -> Answer:
        if query.offset > 2000:
            raise SalesforceError("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        if rows is None:
            check_filter(obj, query.where)
        self._check_selection(obj, query)
        test = self._test(obj, query.where) if query.where else None
        found = [row for row in self._source(obj, query, rows) if test is None or test(row)]
        if query.aggregates or query.group:
            return self._counted(obj, query, found)
        keys = [(self._reader(obj, key[0], key[3]), *key[1:3]) for key in query.order]
        for read, descending, nulls_last in reversed(keys):
            found.sort(key=lambda row: sort_key(read(row)), reverse=descending)
            found.sort(key=lambda row: (read(row) is None) == nulls_last)
        found = found[query.offset :][: query.limit]
        return Answer(len(found), [self._record(obj, query, row) for row in found])

    def _counted(self, obj: Object, query: Query, found: list[Row]) -> Answer:
        if query.only_counts:
            return Answer(len(found[query.offset :][: query.limit]), [])
        records = grouped(query, found, lambda path, at: self._field_reader(obj, path, at), self._text)
        return Answer(len(records), records)

    def _source(self, obj: Object, query: Query, rows: Iterable[Row] | None) -> Iterable[Row]:
        if rows is None:
            rows = self._by_key(obj, query.where)
        return (row for row in rows if self._deleted_too or not row.get("IsDeleted"))

    def _by_key(self, obj: Object, where: Any) -> Iterable[Row]:
        """Read only the rows that a plain condition on Id, a parent or a unique field can match; otherwise all."""
        parts = where.parts if isinstance(where, Logic) and where.operator == "and" else (where,)
        for part in parts:
            if not isinstance(part, Compare) or part.operator not in ("=", "in") or isinstance(part.value, Query):
                continue
            literals = part.value if isinstance(part.value, list) else [part.value]
            field = obj.field(part.path)
            if field is None or not all(each.kind == "string" and each.value for each in literals):
                continue
            if field.type == "id":
                found = (self._tables.get(obj, each.value) for each in literals)
                return list({row["Id"]: row for row in found if row}.values())
            if field.children:
                ids = {to_18(each.value) for each in literals if is_id(each.value)}
                return [row for row_id in ids for row in self._tables.linked(obj.name, field.name, row_id)]
            if field.unique and not self._deleted_too:
                rows = (row for each in literals for row in self._tables.find(obj, field, each.value))
                return list({row["Id"]: row for row in rows}.values())
        return self._tables.all(obj)

    def _check_selection(self, obj: Object, query: Query) -> None:
        for place, (path, at) in enumerate(query.fields):
            if place in query.aliases and not query.group:
                raise malformed(self._text, at, "Only aggregate expressions use field aliasing")
            if not self._is_address(obj, path):
                self._reader(obj, path, at)
        for child in query.children:
            child_obj, _ = self._child(obj, child)
            self._check_selection(child_obj, with_own_names(child, child_obj, self._text))

    @staticmethod
    def _is_address(obj: Object, path: str) -> bool:
        *heads, last = path.split(".")
        for head in heads:
            link = obj.parent(head)
            if link is None:
                return False
            obj = OBJECTS[link.to]
        return compound_address(obj, last, {"Id": ""})[0]

    def _record(self, obj: Object, query: Query, row: Row) -> Row:
        record = record_head(obj, row, self._api_path)
        for path, _ in query.fields:
            self._put(record, obj, row, path.split("."))
        for child in query.children:
            child_obj, link = self._child(obj, child)
            rows = self._tables.children(child_obj.name, link.name, row["Id"])
            answer = self.answer(child_obj, with_own_names(child, child_obj, self._text), rows)
            found = {"totalSize": answer.total, "done": True, "records": answer.records}
            record[link.children] = found if answer.total else None
        return record

    def _put(self, record: Row, obj: Object, row: Row, path: list[str]) -> None:
        if len(path) == 1:
            is_address, value = compound_address(obj, path[0], row)
            if is_address:
                record[path[0][:-7] + "Address"] = value
                return
            field = obj.field(path[0])
            assert field is not None
            record[field.name] = row.get(field.name, field.default)
            return
        link = obj.parent(path[0])
        assert link is not None
        parent_obj, parent = OBJECTS[link.to], self._parent(link, row)
        if parent is None:
            record[link.relationship] = None
            return
        nested = record.setdefault(link.relationship, record_head(parent_obj, parent, self._api_path))
        if _asks_kind(link, ".".join(path[1:])):
            nested[_KIND.name] = parent_obj.name
            return
        self._put(nested, parent_obj, parent, path[1:])

    def _child(self, obj: Object, child: Query) -> tuple[Object, Field]:
        for other in OBJECTS.values():
            for field in other.fields:
                if field.to == obj.name and field.children.lower() == child.object_name.lower():
                    return other, field
        what = (
            f"Didn't understand relationship '{child.object_name}' in FROM part of query call. If you are attempting "
            "to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please "
            "reference your WSDL or the describe call for the appropriate names."
        )
        raise malformed(self._text, child.object_at, what, "INVALID_TYPE")

    def _parent(self, link: Field, row: Row) -> Row | None:
        parent_id = row.get(link.name)
        if parent_id is None:
            return None
        if parent_id not in self._parents:
            self._parents[parent_id] = self._tables.get(OBJECTS[link.to], parent_id)
        return self._parents[parent_id]

    def _reader(self, obj: Object, path: str, at: int) -> Callable[[Row], Any]:
        return self._field_reader(obj, path, at)[1]

    def _field_reader(self, obj: Object, path: str, at: int) -> tuple[Field, Callable[[Row], Any]]:
        head, _, rest = path.partition(".")
        if not rest:
            field = obj.field(head)
            if field is None:
                raise self._no_column(obj, head, at)
            return field, lambda row: row.get(field.name, field.default)
        link = obj.parent(head)
        if link is None:
            what = (
                f"Didn't understand relationship '{head}' in field path. If you are attempting to use a custom "
                "relationship, be sure to append the '__r' after the custom relationship name. Please reference your "
                "WSDL or the describe call for the appropriate names."
            )
            raise malformed(self._text, at, what, "INVALID_FIELD")
        if _asks_kind(link, rest):
            return _KIND, lambda row: None if row.get(link.name) is None else link.to
        field, read = self._field_reader(OBJECTS[link.to], rest, at)

        def through(row: Row) -> Any:
            parent = self._parent(link, row)
            return None if parent is None else read(parent)

        return field, through

    def _no_column(self, obj: Object, name: str, at: int) -> SalesforceError:
        what = (
            f"No such column '{name}' on entity '{obj.name}'. If you are attempting to use a custom field, be sure to "
            "append the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
            "appropriate names."
        )
        return malformed(self._text, at, what, "INVALID_FIELD")

    def _test(self, obj: Object, condition: Any) -> Callable[[Row], bool]:
        if isinstance(condition, Logic):
            tests = [self._test(obj, part) for part in condition.parts]
            if condition.operator == "not":
                return lambda row: not tests[0](row)
            decide = all if condition.operator == "and" else any
            return lambda row: decide(test(row) for test in tests)
        field, read = self._field_reader(obj, condition.path, condition.at)
        if isinstance(condition.value, Query):
            condition = self._joined(condition)
        test = filter_for(field, condition, self._now)
        return lambda row: test(read(row))

    def _joined(self, condition: Compare) -> Compare:
        inner = condition.value
        inner_obj = find_object(inner.object_name)
        if inner_obj is None or len(inner.fields) != 1:
            raise malformed(self._text, inner.object_at, "semi join sub-selects must name one field of one object")
        inner = with_own_names(inner, inner_obj, self._text)
        path, at = inner.fields[0]
        field, read = self._field_reader(inner_obj, path, at)
        if field.type not in ("id", "reference"):
            raise malformed(self._text, at, f"The inner select field '{field.name}' must be an id or a reference")
        test = self._test(inner_obj, inner.where) if inner.where else None
        rows = (row for row in self._source(inner_obj, inner, None) if test is None or test(row))
        values = [Literal("string", value) for value in map(read, rows) if value]
        return Compare(condition.path, condition.operator, values, condition.at)
