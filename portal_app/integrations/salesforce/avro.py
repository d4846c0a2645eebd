"""Event payloads: Avro binary in the schema that each event names, and the bitmaps of change events."""

import io
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import fastavro
from fastavro.types import Schema

_HEADER = "ChangeEventHeader"
_BITMAPS = ("changedFields", "nulledFields", "diffFields")
# What the decoder raises over bytes that are not what the schema says.
_GARBAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
    struct.error,
)


class Undecodable(Exception):
    """The payload does not fit its schema: set it aside, the next event may be fine."""


class EventSchema:
    """One schema, parsed once."""

    def __init__(self, text: str) -> None:
        try:
            self._named: dict[str, Any] = {}
            self._parsed: Schema = fastavro.parse_schema(json.loads(text), self._named)
        except (*_GARBAGE, fastavro.schema.SchemaParseException) as error:
            raise Undecodable("an unusable schema") from error

    def decode(self, payload: bytes) -> dict[str, Any]:
        """Return the payload, bitmaps as field names. Raises Undecodable."""
        stream = io.BytesIO(payload)
        try:
            record = fastavro.schemaless_reader(stream, self._parsed, None)
            if not isinstance(record, dict) or stream.read(1):
                raise ValueError("not one record")
            return self._with_field_names(record) if _HEADER in record else record
        except _GARBAGE as error:
            raise Undecodable(type(error).__name__) from error

    def _with_field_names(self, record: dict[str, Any]) -> dict[str, Any]:
        header = record[_HEADER]
        if isinstance(header, dict):
            for name in _BITMAPS:
                header[name] = field_names(self._parsed, header.get(name) or [], self._named)
        return record


def field_names(schema: Any, bitmaps: Sequence[str], named: Mapping[str, Any]) -> list[str]:
    """Return the fields that bitmaps name: "0x.." for the record's own, "4-0x.." for those inside its field 4.

    A bit counts fields in the order of the schema. `named` holds the schema's types by name: Avro defines a type where
    it is first used and only names it afterwards. Raises ValueError or LookupError for bits beyond the schema.
    """
    fields = schema["fields"]
    names: list[str] = []
    for bitmap in bitmaps:
        position, is_nested, bits = bitmap.rpartition("-")
        if is_nested:
            parent = fields[int(position)]
            inner = _record_in(parent["type"], named)["fields"]
            names += [f"{parent['name']}.{inner[index]['name']}" for index in _set_bits(bits)]
        else:
            names += [fields[index]["name"] for index in _set_bits(bits)]
    return names


def _set_bits(hexadecimal: str) -> list[int]:
    value = int(hexadecimal, 16)
    return [index for index in range(value.bit_length()) if value >> index & 1]


def _record_in(kind: Any, named: Mapping[str, Any]) -> Mapping[str, Any]:
    for option in kind if isinstance(kind, list) else [kind]:
        found = named.get(option) if isinstance(option, str) else option
        if isinstance(found, Mapping) and found.get("type") == "record":
            return found
    raise LookupError("no compound field")
