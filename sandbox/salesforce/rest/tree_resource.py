"""The tree resource: rows with their children, created all or not at all."""

from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.calls import Answer, Call, attributes_of
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.rest.creation import Creation
from sandbox.salesforce.rest.row_resources import known_object
from sandbox.salesforce.rows import Rows
from sandbox.salesforce.schema import Field, Object

_MOST_ROWS, _DEEPEST = 200, 5


class _Refused(Exception):
    """A row was refused; carries its reference."""

    def __init__(self, reference: str, error: SalesforceError) -> None:
        super().__init__(reference)
        self.reference = reference
        self.error = error


class Tree:
    """Answer POST /composite/tree/{Type}."""

    def __init__(self, rows: Rows, creation: Creation) -> None:
        self._rows = rows
        self._creation = creation

    def create(self, call: Call) -> Answer:
        """Create the rows; the answer pairs each reference with its new id."""
        obj = known_object(call.path[2])
        results: list[dict[str, str]] = []
        try:
            with self._rows.unit(call.actor):
                for record in _records(call.fields()):
                    _Growth(self._creation, call, results).add(obj, record, depth=1)
        except _Refused as refused:
            told = {"referenceId": refused.reference, "errors": [refused.error.as_result()]}
            return Answer(400, {"hasErrors": True, "results": [told]})
        return Answer(201, {"hasErrors": False, "results": results})


@dataclass
class _Growth:
    """What one call has created so far."""

    creation: Creation
    call: Call
    results: list[dict[str, str]]

    def add(self, obj: Object, record: Any, *, depth: int, **parent: str) -> None:
        """Create a row and its children, telling each. Raises _Refused."""
        reference = _reference(record)
        children = {name: value for name, value in record.items() if isinstance(value, dict) and "records" in value}
        own = {name: value for name, value in record.items() if name not in children}
        try:
            if not reference:
                raise SalesforceError("INVALID_INPUT", "Include a reference ID for each record")
            if depth > _DEEPEST or len(self.results) >= _MOST_ROWS:
                raise SalesforceError("INVALID_INPUT", f"A tree has {_MOST_ROWS} records and {_DEEPEST} levels at most")
            row_id = self.creation.create(self.call, obj, own | parent)["id"]
        except SalesforceError as error:
            raise _Refused(reference, error) from error
        self.results.append({"referenceId": reference, "id": row_id})
        for name, value in children.items():
            child, link = _child(obj, name, reference)
            for each in _records(value):
                self.add(child, each, depth=depth + 1, **{link.name: row_id})


def _reference(record: Any) -> str:
    try:
        return str(attributes_of(record).get("referenceId") or "")
    except SalesforceError as error:
        raise _Refused("", error) from error


def _records(body: dict[str, Any]) -> list[dict[str, Any]]:
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise SalesforceError("JSON_PARSER_ERROR", "records must be a list of rows")
    return records


def _child(obj: Object, name: str, reference: str) -> tuple[Object, Field]:
    for other in OBJECTS.values():
        for field in other.fields:
            if field.to == obj.name and field.children.lower() == name.lower():
                return other, field
    error = SalesforceError("INVALID_FIELD", f"No such column '{name}' on sobject of type {obj.name}")
    raise _Refused(reference, error)
