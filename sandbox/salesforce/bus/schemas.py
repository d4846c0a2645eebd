"""Which version of its schema each topic has now. A switch gives an object another version, and so another id."""

from typing import Any

from sandbox.faults import Faults
from sandbox.salesforce.bus import avro
from sandbox.salesforce.objects import CHANGE_EVENT_OBJECTS, OBJECTS
from sandbox.store import Store

ALL_CHANGES = "/data/ChangeEvents"
_KIND = "salesforce:schema"
_EVENTS = tuple(each.name for each in OBJECTS.values() if each.kind == "event")


def event_topic(object_name: str) -> str:
    """Return the topic of a platform event."""
    return f"/event/{object_name}"


def change_topic(object_name: str) -> str:
    """Return the topic of an object's change events; a custom object's is spelt with two underscores."""
    return f"/data/{object_name.removesuffix('c') if object_name.endswith('__c') else object_name}ChangeEvent"


class Schemas:
    """Tell the current schema of an object's events, and any version by its id."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    def for_next_event(self, object_name: str) -> dict[str, Any]:
        """Return the schema to write an event in, a new one when the switch asks for it."""
        if self._faults.take_special("pubsub", "new_schema"):
            self._store.put(_KIND, object_name, {"version": self._version(object_name) + 1})
        return self._schema(object_name, self._version(object_name))

    def of_topic(self, topic: str) -> tuple[bool, dict[str, Any] | None]:
        """Return whether there is such a topic, and its schema; the channel of all changes has none of its own."""
        if topic == ALL_CHANGES:
            return True, None
        name = _objects_by_topic().get(topic)
        return name is not None, self._schema(name, self._version(name)) if name else None

    def by_id(self, schema_id: str) -> dict[str, Any] | None:
        """Return the schema of an id, whichever version it is, or None."""
        for name in _objects_by_topic().values():
            for version in range(self._version(name) + 1):
                schema = self._schema(name, version)
                if avro.schema_id(schema) == schema_id:
                    return schema
        return None

    def _version(self, object_name: str) -> int:
        return int((self._store.get(_KIND, object_name) or {"version": 0})["version"])

    @staticmethod
    def _schema(object_name: str, version: int) -> dict[str, Any]:
        make = avro.event_schema if object_name in _EVENTS else avro.change_event_schema
        return make(object_name, version)


def _objects_by_topic() -> dict[str, str]:
    return {event_topic(name): name for name in _EVENTS} | {change_topic(name): name for name in CHANGE_EVENT_OBJECTS}
