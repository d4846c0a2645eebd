"""REST resources of single rows: create, read, update, delete, and the same by external id."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sandbox.salesforce.calls import Answer, Call
from sandbox.salesforce.errors import SalesforceError, not_found
from sandbox.salesforce.incoming import external_field
from sandbox.salesforce.objects import find_object
from sandbox.salesforce.query.soql import compound_address, record_head
from sandbox.salesforce.rest.conditions import tag_header, unmet
from sandbox.salesforce.rest.creation import Creation
from sandbox.salesforce.rows import MultipleMatches, Rows, full_row
from sandbox.salesforce.schema import Object
from sandbox.salesforce.tables import AGENT_USER_ID, Row


class RowResources:
    """Answer calls on /sobjects/{Type}, /sobjects/{Type}/{id} and /sobjects/{Type}/{Field__c}/{value}."""

    def __init__(self, rows: Rows, creation: Creation) -> None:
        self._rows = rows
        self._creation = creation

    def create(self, call: Call) -> Answer:
        """POST a row, or publish a platform event."""
        obj = known_object(call.path[1])
        made = self._creation.create(call, obj, call.fields())
        place = {} if obj.kind == "event" else {"Location": f"{call.api_path}/sobjects/{obj.name}/{made['id']}"}
        return Answer(201, made, place)

    def read(self, call: Call) -> Answer:
        """GET a row by its id."""
        obj = known_object(call.path[1])
        row = self._rows.existing(obj, call.path[2])
        tag = tag_header(obj, row)
        status = unmet(obj, row, call.headers, reading=True)
        return Answer(status, None, tag) if status else Answer(200, self._shown(call, obj, row), tag)

    def update(self, call: Call) -> Answer:
        """PATCH a row by its id."""
        obj = known_object(call.path[1])
        with self._rows.unit(call.actor):
            if status := unmet(obj, self._rows.existing(obj, call.path[2]), call.headers, reading=False):
                return Answer(status)
            self._rows.update(obj.name, call.path[2], call.fields() | self._new_owner(call, obj))
        return Answer(204)

    def _new_owner(self, call: Call, obj: Object) -> dict[str, Any]:
        """Return the owner that a changed case gets: without a header, REST assigns it as a new one."""
        is_assigned = call.headers.get("sforce-auto-assign", "TRUE").upper() != "FALSE"
        if obj.name != "Case" or not is_assigned or not self._rows.gives_to_default_owner():
            return {}
        return {"OwnerId": AGENT_USER_ID}

    def delete(self, call: Call) -> Answer:
        """DELETE a row by its id."""
        obj = known_object(call.path[1])
        with self._rows.unit(call.actor):
            self._rows.delete(obj.name, call.path[2])
        return Answer(204)

    def read_by_key(self, call: Call) -> Answer:
        """GET a row by an external id; 300 with their addresses when several rows have it."""
        obj, (name, value) = known_object(call.path[1]), _key(call)
        found = self._rows.tables.find(obj, external_field(obj, name), value)
        if not found:
            raise not_found("The requested resource does not exist")
        if len(found) > 1:
            return _choices(call, MultipleMatches(obj, [row["Id"] for row in found]))
        return Answer(200, self._shown(call, obj, found[0]))

    def upsert(self, call: Call) -> Answer:
        """PATCH a row by an external id, creating it unless `updateOnly` is asked for."""
        obj, key = known_object(call.path[1]), _key(call)
        if key[0].lower() == "id":
            return self.update(replace(call, path=(*call.path[:2], key[1])))
        field = external_field(obj, key[0])
        fields = call.fields()
        if any(name.lower() == field.name.lower() for name in fields):
            message = f"The {field.name} field should not be specified in the sobject data."
            raise SalesforceError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=[field.name])
        if call.flag("updateOnly") and not self._rows.tables.find(obj, field, key[1]):
            raise not_found()
        try:
            with self._rows.unit(call.actor):
                row_id, created = self._rows.upsert(obj.name, key, fields)
        except MultipleMatches as several:
            return _choices(call, several)
        if not created and float(call.version) < 46:
            return Answer(204)
        return Answer(201 if created else 200, {"id": row_id, "success": True, "errors": [], "created": created})

    def delete_by_key(self, call: Call) -> Answer:
        """DELETE a row by an external id."""
        obj, (name, value) = known_object(call.path[1]), _key(call)
        found = self._rows.tables.find(obj, external_field(obj, name), value)
        if not found:
            raise not_found()
        if len(found) > 1:
            return _choices(call, MultipleMatches(obj, [row["Id"] for row in found]))
        with self._rows.unit(call.actor):
            self._rows.delete(obj.name, found[0]["Id"])
        return Answer(204)

    def _shown(self, call: Call, obj: Object, row: Row) -> dict[str, Any]:
        head = record_head(obj, row, call.api_path)
        if "fields" in call.query:
            return head | self._chosen(obj, row, call.query["fields"])
        return head | full_row(obj, row)

    @staticmethod
    def _chosen(obj: Object, row: Row, names: str) -> Row:
        chosen: Row = {"Id": row["Id"]}
        for name in (part.strip() for part in names.split(",")):
            field = obj.field(name)
            is_address, value = compound_address(obj, name, row)
            if field is None and not is_address:
                raise SalesforceError("INVALID_FIELD", f"No such column '{name}' on sobject of type {obj.name}")
            chosen[field.name if field else name] = row.get(field.name, field.default) if field else value
        return chosen


def known_object(name: str) -> Object:
    """Return an object by its name in any case. Raises SalesforceError."""
    obj = find_object(name)
    if obj is None:
        raise not_found()
    return obj


def _key(call: Call) -> tuple[str, str]:
    return call.path[2], "/".join(call.path[3:])


def _choices(call: Call, several: MultipleMatches) -> Answer:
    base = f"{call.api_path}/sobjects/{quote(several.object.name)}"
    return Answer(300, [f"{base}/{row_id}" for row_id in several.ids])
