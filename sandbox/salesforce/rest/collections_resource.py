"""The collections resource: up to 200 rows created, changed, upserted, deleted or read in one call."""

from collections.abc import Callable
from typing import Any

from sandbox.salesforce.calls import Answer, Call, attributes_of
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.query.soql import record_head
from sandbox.salesforce.rest.creation import Creation
from sandbox.salesforce.rest.row_resources import known_object
from sandbox.salesforce.rows import MultipleMatches, Rows
from sandbox.salesforce.schema import Object

_MOST_ROWS = 200

Result = dict[str, Any]


class _RollBack(Exception):
    """A row failed and all are to be undone."""


class Collections:
    """Answer calls on /composite/sobjects."""

    def __init__(self, rows: Rows, creation: Creation) -> None:
        self._rows = rows
        self._creation = creation

    def create(self, call: Call) -> Answer:
        """POST rows."""

        def one(record: Result) -> Result:
            return self._creation.create(call, _type(record), _without(record, "attributes"))

        return self._each(call, _records(call), one)

    def update(self, call: Call) -> Answer:
        """PATCH rows that name their ids."""
        return self._each(call, _records(call), self._update_one)

    def upsert(self, call: Call) -> Answer:
        """PATCH rows that name their external ids."""
        object_name, field_name = call.path[2], call.path[3]

        def one(record: Result) -> Result:
            return self._upsert_one(object_name, field_name, record)

        return self._each(call, _records(call), one)

    def delete(self, call: Call) -> Answer:
        """DELETE the rows named in `ids`."""
        ids = [{"id": row_id} for row_id in call.query.get("ids", "").split(",") if row_id]
        return self._each(call, ids, self._delete_one)

    def read(self, call: Call) -> Answer:
        """GET rows of one object by `ids`, or POST with `ids` and `fields`; absent rows are null."""
        asked = call.fields() if call.method == "POST" else {}
        ids = _texts(asked, "ids") or call.query.get("ids", "").split(",")
        names = _texts(asked, "fields") or call.query.get("fields", "Id").split(",")
        obj = known_object(call.path[2])
        fields = [obj.field(name) for name in names]
        if None in fields:
            message = f"No such column '{names[fields.index(None)]}' on sobject of type {obj.name}"
            raise SalesforceError("INVALID_FIELD", message)
        shown: list[Result | None] = []
        for row_id in ids:
            row = self._rows.get(obj.name, row_id)
            chosen = {field.name: row[field.name] for field in fields if field} if row else {}
            shown.append(record_head(obj, row, call.api_path) | chosen if row else None)
        return Answer(200, shown)

    def _each(self, call: Call, records: list[Result], one: Callable[[Result], Result]) -> Answer:
        if len(records) > _MOST_ROWS:
            raise SalesforceError("EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {_MOST_ROWS}")
        all_or_none = call.flag("allOrNone") or (isinstance(call.body, dict) and bool(call.body.get("allOrNone")))
        results: list[Result] = []
        if not all_or_none:
            for record in records:
                results.append(self._one(call, record, one))
            return Answer(200, results)
        try:
            with self._rows.unit(call.actor):
                results.extend(self._one(call, record, one) for record in records)
                if any(not result["success"] for result in results):
                    raise _RollBack
        except _RollBack:
            results = [result if not result["success"] else _rolled_back() for result in results]
        return Answer(200, results)

    def _one(self, call: Call, record: Result, one: Callable[[Result], Result]) -> Result:
        try:
            with self._rows.unit(call.actor):
                return one(record)
        except SalesforceError as error:
            return {"success": False, "errors": [error.as_result()]}
        except MultipleMatches as several:
            message = f"more than one record found for external id field: {several.ids}"
            return {"success": False, "errors": [SalesforceError("DUPLICATE_EXTERNAL_ID", message).as_result()]}

    def _update_one(self, record: Result) -> Result:
        row_id = _field(record, "id")
        self._rows.update(_type(record).name, row_id, _without(record, "attributes", "id"))
        return {"id": row_id, "success": True, "errors": []}

    def _upsert_one(self, object_name: str, field_name: str, record: Result) -> Result:
        key = (field_name, _field(record, field_name))
        row_id, created = self._rows.upsert(object_name, key, _without(record, "attributes", field_name))
        return {"id": row_id, "success": True, "errors": [], "created": created}

    def _delete_one(self, record: Result) -> Result:
        for obj in OBJECTS.values():
            if obj.kind == "row" and record["id"].startswith(obj.prefix):
                self._rows.delete(obj.name, record["id"])
                return {"id": record["id"], "success": True, "errors": []}
        raise SalesforceError("MALFORMED_ID", f"malformed id {record['id']}")


def _records(call: Call) -> list[Result]:
    records = call.fields().get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise SalesforceError("JSON_PARSER_ERROR", "records must be a list of rows")
    return records


def _texts(asked: Result, name: str) -> list[str]:
    given = asked.get(name) or []
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise SalesforceError("JSON_PARSER_ERROR", f"{name} must be a list of texts")
    return given


def _type(record: Result) -> Object:
    name = attributes_of(record).get("type")
    if not name:
        raise SalesforceError("INVALID_INPUT", "Include an entity type in the attributes of each record")
    return known_object(str(name))


def _field(record: Result, name: str) -> str:
    for key, value in record.items():
        if key.lower() == name.lower() and value:
            return str(value)
    raise SalesforceError("MISSING_ARGUMENT", f"{name} not specified in an update call")


def _without(record: Result, *names: str) -> Result:
    dropped = {name.lower() for name in names}
    return {name: value for name, value in record.items() if name.lower() not in dropped}


def _rolled_back() -> Result:
    message = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    return {"success": False, "errors": [SalesforceError("ALL_OR_NONE_OPERATION_ROLLED_BACK", message).as_result()]}
