"""Avro schemas of the org's events and the encoding of their payloads."""

import base64
import hashlib
import io
import json
from functools import cache
from typing import Any

import fastavro

from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.schema import Field, Object

NAMESPACE = "com.sforce.eventbus"
ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country")

_TYPES = {"boolean": "boolean", "double": "double", "currency": "double", "int": "int", "date": "long"}
_NOT_IN_CHANGE_EVENTS = {"Id", "IsDeleted", "SystemModstamp", "TotalAmount", "IsClosed"}
_CHANGE_TYPES = ["CREATE", "UPDATE", "DELETE", "UNDELETE", "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE"]


@cache
def event_schema(object_name: str, version: int = 0) -> dict[str, Any]:
    """Return the schema of a platform event's messages; each later version has one field more."""
    obj = OBJECTS[object_name]
    fixed = [
        {"name": "CreatedDate", "type": "long", "doc": "CreatedDate:DateTime"},
        {"name": "CreatedById", "type": "string", "doc": "CreatedBy:EntityId"},
    ]
    return _record(
        object_name, fixed + _later(version) + [_optional(field) for field in obj.fields if field.createable]
    )


@cache
def change_event_schema(object_name: str, version: int = 0) -> dict[str, Any]:
    """Return the schema of an object's change events: the header, what later versions added, then the fields."""
    obj = OBJECTS[object_name]
    header = {"name": "ChangeEventHeader", "type": _header()}
    return _record(f"{object_name.removesuffix('__c')}ChangeEvent", [header, *_later(version), *_change_fields(obj)])


def field_names(schema: dict[str, Any]) -> list[str]:
    """Return a schema's field names in order."""
    return [field["name"] for field in schema["fields"]]


def schema_json(schema: dict[str, Any]) -> str:
    """Return a schema as the text that GetSchema answers."""
    return json.dumps(schema, separators=(",", ":"))


def schema_id(schema: dict[str, Any]) -> str:
    """Return a schema's fingerprint: 22 characters of URL-safe base64."""
    digest = hashlib.md5(schema_json(schema).encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def encode(schema: dict[str, Any], record: dict[str, Any]) -> bytes:
    """Return a record as raw Avro binary."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, _parsed(schema_json(schema)), record)
    return out.getvalue()


@cache
def _parsed(text: str) -> Any:
    return fastavro.parse_schema(json.loads(text))


def _later(version: int) -> list[dict[str, Any]]:
    # They stand before the others, so that a reader with the wrong version decodes nonsense.
    numbers = range(version, 0, -1)
    return [{"name": f"Added_{number}__c", "type": ["null", "string"], "default": None} for number in numbers]


def _change_fields(obj: Object) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = []
    for field in obj.fields:
        compound = field.name.removesuffix("Street") + "Address"
        if field.name.endswith("Street"):
            fields.append({"name": compound, "type": ["null", _address(first=not _has_address(fields))]})
            fields[-1]["default"] = None
        elif field.name not in _NOT_IN_CHANGE_EVENTS and not _is_address_part(obj, field.name):
            fields.append(_optional(field))
    return fields


def _is_address_part(obj: Object, name: str) -> bool:
    return any(
        name.endswith(part) and obj.field(name.removesuffix(part) + "Street") is not None for part in ADDRESS_PARTS
    )


def _has_address(fields: list[dict[str, Any]]) -> bool:
    return any(field["name"].endswith("Address") for field in fields)


def _optional(field: Field) -> dict[str, Any]:
    kind = "long" if field.type == "datetime" else _TYPES.get(field.type, "string")
    return {"name": field.name, "type": ["null", kind], "doc": f"Data:{field.type}", "default": None}


def _address(*, first: bool) -> Any:
    if not first:
        return f"{NAMESPACE}.Address"
    texts = [*ADDRESS_PARTS, "StateCode", "CountryCode"]
    fields = [{"name": name, "type": ["null", "string"], "default": None} for name in texts]
    fields += [{"name": name, "type": ["null", "double"], "default": None} for name in ("Latitude", "Longitude")]
    fields += [{"name": "GeocodeAccuracy", "type": ["null", "string"], "default": None}]
    return {"type": "record", "name": "Address", "namespace": NAMESPACE, "fields": fields}


def _header() -> dict[str, Any]:
    texts = {"type": "array", "items": "string"}
    symbols = [*_CHANGE_TYPES, "GAP_OVERFLOW", "SNAPSHOT"]
    return {
        "type": "record",
        "name": "ChangeEventHeader",
        "fields": [
            {"name": "entityName", "type": "string"},
            {"name": "recordIds", "type": texts},
            {"name": "changeType", "type": {"type": "enum", "name": "ChangeType", "symbols": symbols}},
            {"name": "changeOrigin", "type": "string"},
            {"name": "transactionKey", "type": "string"},
            {"name": "sequenceNumber", "type": "int"},
            {"name": "commitTimestamp", "type": "long"},
            {"name": "commitNumber", "type": "long"},
            {"name": "commitUser", "type": "string"},
            {"name": "nulledFields", "type": texts},
            {"name": "diffFields", "type": texts},
            {"name": "changedFields", "type": texts},
        ],
    }


def _record(name: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": NAMESPACE, "fields": fields}
