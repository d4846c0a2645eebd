"""Change Data Capture: one event for each committed change of the chosen objects."""

import uuid
from typing import Any

from sandbox.salesforce import avro
from sandbox.salesforce.bus import Bus
from sandbox.salesforce.changes import Change, Unit
from sandbox.salesforce.events import ALL_CHANGES, change_topic
from sandbox.salesforce.objects import CHANGE_EVENT_OBJECTS, OBJECTS
from sandbox.salesforce.schema import Object
from sandbox.salesforce.tables import Row
from sandbox.salesforce.values import parse_datetime
from sandbox.store import Store

_FIRST_COMMIT = 10_500_000_000_000


class ChangeEvents:
    """Turn a unit's changes into events, on the object's own topic and on the one of all changes."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus

    def publish(self, unit: Unit) -> None:
        """Append the events of a unit that is about to commit."""
        changes = [change for change in unit.changes if change.object_name in CHANGE_EVENT_OBJECTS]
        if not changes:
            return
        transaction = {
            "transactionKey": str(uuid.uuid4()),
            "commitTimestamp": int(unit.at.timestamp() * 1000),
            "commitNumber": self._store.next_number("salesforce:commit", _FIRST_COMMIT),
            "commitUser": unit.actor.user_id,
            "changeOrigin": unit.actor.origin,
        }
        for number, change in enumerate(changes, 1):
            self._append(change, transaction | {"sequenceNumber": number})

    def _append(self, change: Change, header: Row) -> None:
        schema = avro.change_event_schema(change.object_name)
        event = {"event_id": str(uuid.uuid4()), "schema_id": avro.schema_id(schema)}
        payload = avro.encode(schema, _record(change, header))
        for topic in (change_topic(change.object_name), ALL_CHANGES):
            self._bus.append(topic, **event, payload=payload)


def bitmap(indexes: list[int]) -> str:
    """Return field positions as an upper-case hexadecimal bitmap, lowest bit first."""
    value = sum(1 << index for index in indexes)
    return "0x" + value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big").hex().upper()


def _record(change: Change, header: Row) -> Row:
    obj = OBJECTS[change.object_name]
    bitmaps: dict[str, list[str]] = {"nulledFields": [], "diffFields": [], "changedFields": []}
    body: Row = {}
    if change.type == "CREATE":
        body = _values(obj, change.after, [field.name for field in obj.fields])
    elif change.type == "UPDATE":
        names = _told(obj, change)
        body = _values(obj, change.after, names)
        bitmaps["changedFields"] = _bitmaps(obj, names)
        bitmaps["nulledFields"] = _bitmaps(obj, [name for name in names if change.after.get(name) is None])
    fixed = {"entityName": obj.name, "recordIds": [change.row_id], "changeType": change.type}
    return {"ChangeEventHeader": fixed | header | bitmaps} | body


def _told(obj: Object, change: Change) -> list[str]:
    # The time of change is told with every update, even when it fell into the same second as the one before.
    return [field.name for field in obj.fields if field.name in change.fields or field.name == "LastModifiedDate"]


def _values(obj: Object, row: Row, names: list[str]) -> Row:
    known = set(avro.change_event_names(obj.name))
    values: Row = {}
    for name in names:
        place = _place(obj, name)
        if place[0] not in known or row.get(name) is None:
            continue
        value = _avro_value(obj, name, row[name])
        if len(place) == 1:
            values[name] = value
        else:
            values.setdefault(place[0], {})[place[1]] = value
    return values


def _place(obj: Object, name: str) -> tuple[str, ...]:
    """Return where a field stands in the event: alone, or as a part of its compound address."""
    for part in avro.ADDRESS_PARTS:
        prefix = name.removesuffix(part)
        if prefix != name and obj.field(prefix + "Street") is not None:
            return prefix + "Address", part
    return (name,)


def _avro_value(obj: Object, name: str, value: Any) -> Any:
    field = obj.field(name)
    if field is not None and field.type in ("date", "datetime"):
        moment = parse_datetime(value)
        return int(moment.timestamp() * 1000) if moment else None
    return value


def _bitmaps(obj: Object, names: list[str]) -> list[str]:
    order = avro.change_event_names(obj.name)
    alone: list[int] = []
    parts: dict[int, list[int]] = {}
    for place in (_place(obj, name) for name in names):
        if place[0] not in order:
            continue
        index = order.index(place[0])
        if len(place) == 1:
            alone.append(index)
        else:
            parts.setdefault(index, []).append(avro.ADDRESS_PARTS.index(place[1]))
    nested = [f"{index}-{bitmap(inside)}" for index, inside in sorted(parts.items())]
    return ([bitmap(alone)] if alone else []) + nested
