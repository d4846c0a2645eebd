"""Payloads and bitmaps, against the vendor's published example."""

import io
import json
from datetime import UTC, datetime

import fastavro
import pytest

from portal_app.integrations.salesforce.avro import EventSchema, Undecodable, field_names

PERSON = {"type": "record", "name": "Name", "fields": [{"name": f"Part{n}", "type": "string"} for n in range(6)]}


def schema_of(count: int) -> dict:
    fields = [{"name": f"F{n}", "type": ["null", "string"]} for n in range(count)]
    fields[4]["type"] = ["null", "string", PERSON]
    fields[7]["type"] = PERSON
    return {"type": "record", "name": "E", "fields": fields}


def test_the_published_bitmaps_are_read() -> None:
    assert field_names(schema_of(32), ["0x650004E0", "4-0x10", "7-0x06"], {}) == [
        *(f"F{n}" for n in (5, 6, 7, 10, 24, 26, 29, 30)), "F4.Part4", "F7.Part1", "F7.Part2",
    ]  # fmt: skip


def test_bitmaps_of_nested_fields_alone_are_read() -> None:
    assert field_names(schema_of(8), ["4-0x04"], {}) == ["F4.Part2"]


def test_lower_case_and_empty_bitmaps_are_read() -> None:
    assert field_names(schema_of(8), [], {}) == []
    assert field_names(schema_of(8), ["0x6"], {}) == field_names(schema_of(8), ["0x06"], {}) == ["F1", "F2"]


ADDRESS = {"type": "record", "name": "Address", "namespace": "com.sforce.eventbus", "fields": [
    {"name": name, "type": ["null", "string"]} for name in ("Street", "City")
]}  # fmt: skip
HEADER = {"type": "record", "name": "ChangeEventHeader", "fields": [
    {"name": "changedFields", "type": {"type": "array", "items": "string"}}
]}  # fmt: skip


@pytest.mark.parametrize("again", ["com.sforce.eventbus.Address", ["null", "com.sforce.eventbus.Address"], "Address"])
def test_a_type_that_is_defined_once_and_used_again_by_name_is_read(again: object) -> None:
    schema = {"type": "record", "name": "AccountChangeEvent", "namespace": "com.sforce.eventbus", "fields": [
        {"name": "ChangeEventHeader", "type": HEADER},
        {"name": "BillingAddress", "type": ["null", ADDRESS]},
        {"name": "ShippingAddress", "type": again},
    ]}  # fmt: skip
    address, stream = {"Street": "1-5", "City": "Minato-ku"}, io.BytesIO()
    record = {"BillingAddress": address, "ShippingAddress": address}
    header = {"changedFields": ["1-0x01", "2-0x02"]}
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), {"ChangeEventHeader": header, **record})
    found = EventSchema(json.dumps(schema)).decode(stream.getvalue())["ChangeEventHeader"]["changedFields"]
    assert found == ["BillingAddress.Street", "ShippingAddress.City"]


SIMPLE = {"type": "record", "name": "E", "fields": [
    {"name": "Id", "type": "string"},
    {"name": "At", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "Raw", "type": ["null", "bytes"]},
]}  # fmt: skip


def encoded(record: dict) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(json.loads(json.dumps(SIMPLE))), record)
    return stream.getvalue()


def test_a_payload_is_read_by_its_schema() -> None:
    payload = EventSchema(json.dumps(SIMPLE)).decode(encoded({"Id": "x", "At": 0, "Raw": b"\x01"}))
    assert payload == {"Id": "x", "At": datetime(1970, 1, 1, tzinfo=UTC), "Raw": b"\x01"}


@pytest.mark.parametrize("payload", [b"", b"\xff" * 20, encoded({"Id": "x", "At": 0, "Raw": None}) + b"more", b"\x08x"])
def test_a_payload_that_does_not_fit_is_undecodable(payload: bytes) -> None:
    with pytest.raises(Undecodable):
        EventSchema(json.dumps(SIMPLE)).decode(payload)


@pytest.mark.parametrize("text", ["", "[]", '{"type": "record"}', '{"type": "nonsense"}'])
def test_a_malformed_schema_is_undecodable(text: str) -> None:
    with pytest.raises(Undecodable):
        EventSchema(text).decode(b"")
