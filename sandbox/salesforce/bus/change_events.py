"""Change Data Capture: one event for each committed change of the chosen objects."""

import uuid
from difflib import unified_diff
from typing import Any

from sandbox.faults import Faults
from sandbox.salesforce.bus import avro
from sandbox.salesforce.bus.bus import Bus
from sandbox.salesforce.bus.schemas import ALL_CHANGES, change_topic
from sandbox.salesforce.changes import Change, Unit
from sandbox.salesforce.objects import CHANGE_EVENT_OBJECTS, OBJECTS
from sandbox.salesforce.schema import Object
from sandbox.salesforce.tables import Row
from sandbox.salesforce.values import parse_datetime
from sandbox.store import Store

_FIRST_COMMIT = 10_500_000_000_000
_LARGEST = 1024 * 1024
_LONG_TEXT = 1000
_EVERY_ROW = "000000000000000AAA"


class ChangeEvents:
    """Turn a unit's changes into events, on the object's own topic and on the one of all changes."""

    def __init__(self, store: Store, bus: Bus, faults: Faults) -> None:
        self._store = store
        self._bus = bus
        self._faults = faults

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
        for number, alike in enumerate(_grouped(changes), 1):
            self._append(alike, transaction | {"sequenceNumber": number})

    def _append(self, alike: list[Change], header: Row) -> None:
        change = alike[0]
        schema = self._bus.schemas.for_next_event(change.object_name)
        event = {"event_id": str(uuid.uuid4()), "schema_id": avro.schema_id(schema)}
        header |= {"recordIds": [each.row_id for each in alike]}
        payload = avro.encode(schema, _record(change, header, avro.field_names(schema)))
        if self._faults.take_special("pubsub", "overflow"):
            many = {"changeType": "GAP_OVERFLOW", "recordIds": [_EVERY_ROW], "sequenceNumber": 1}
            payload = avro.encode(schema, _gap(change, header | many))
        elif self._faults.take_special("pubsub", "gap_event") or len(payload) > _LARGEST:
            payload = avro.encode(
                schema, _gap(change, header | {"changeType": f"GAP_{change.type}", "sequenceNumber": 1})
            )
        for topic in (change_topic(change.object_name), ALL_CHANGES):
            self._bus.append(topic, **event, payload=payload)


def bitmap(indexes: list[int]) -> str:
    """Return field positions as an upper-case hexadecimal bitmap, lowest bit first."""
    value = sum(1 << index for index in indexes)
    return "0x" + value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big").hex().upper()


def _grouped(changes: list[Change]) -> list[list[Change]]:
    """Put neighbours together whose event differs in nothing but the row: they are told as one."""
    groups: list[list[Change]] = []
    for change in changes:
        if groups and _told_alike(groups[-1][0], change):
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def _told_alike(one: Change, other: Change) -> bool:
    if (one.object_name, one.type, one.fields) != (other.object_name, other.type, other.fields):
        return False
    same = all(one.after.get(name) == other.after.get(name) for name in one.fields if name != "Id")
    same = same and _diffs(one) == _diffs(other)
    return one.row_id != other.row_id and (one.type == "DELETE" or (one.type == "UPDATE" and same))


def _gap(change: Change, header: Row) -> Row:
    none: Row = {"nulledFields": [], "diffFields": [], "changedFields": []}
    return {"ChangeEventHeader": {"entityName": change.object_name} | none | header}


def _record(change: Change, header: Row, order: list[str]) -> Row:
    obj = OBJECTS[change.object_name]
    bitmaps: dict[str, list[str]] = {"nulledFields": [], "diffFields": [], "changedFields": []}
    body: Row = {}
    if change.type == "CREATE":
        body = _values(obj, change.after, [field.name for field in obj.fields], order)
    elif change.type == "UPDATE":
        names = _told(obj, change)
        body = _values(obj, change.after | _diffs(change), names, order)
        bitmaps["diffFields"] = _bitmaps(obj, list(_diffs(change)), order)
        bitmaps["changedFields"] = _bitmaps(obj, names, order)
        bitmaps["nulledFields"] = _bitmaps(obj, [name for name in names if change.after.get(name) is None], order)
    fixed = {"entityName": obj.name, "changeType": change.type}
    return {"ChangeEventHeader": fixed | header | bitmaps} | body


def _diffs(change: Change) -> Row:
    """Return what is told of changed long texts: the difference from before in place of the whole text."""
    found: Row = {}
    for name in change.fields:
        old, new = change.before.get(name), change.after.get(name)
        if isinstance(old, str) and isinstance(new, str) and len(new) > _LONG_TEXT:
            found[name] = "\n".join(unified_diff(old.splitlines(), new.splitlines(), lineterm=""))
    return found


def _told(obj: Object, change: Change) -> list[str]:
    # The time of change is told with every update, even when it fell into the same second as the one before.
    return [field.name for field in obj.fields if field.name in change.fields or field.name == "LastModifiedDate"]


def _values(obj: Object, row: Row, names: list[str], order: list[str]) -> Row:
    known = set(order)
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


def _bitmaps(obj: Object, names: list[str], order: list[str]) -> list[str]:
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
