"""Creating a row of any object: what comes with it belongs to the object, however the call arrives."""

from dataclasses import replace
from typing import Any

from sandbox.salesforce.bus.bus import Bus
from sandbox.salesforce.bus.events import publish_event
from sandbox.salesforce.calls import Call
from sandbox.salesforce.rest.files import VERSION, Files
from sandbox.salesforce.rows import Rows
from sandbox.salesforce.schema import Object


class Creation:
    """Create rows, publish platform events and keep files, for every resource that creates."""

    def __init__(self, rows: Rows, bus: Bus, files: Files) -> None:
        self._rows = rows
        self._bus = bus
        self._files = files

    def create(self, call: Call, obj: Object, fields: dict[str, Any]) -> dict[str, Any]:
        """Create one row from its fields and return its result. Raises SalesforceError."""
        if obj.kind == "event":
            return publish_event(self._rows, self._bus, obj, replace(call, body=fields))
        with self._rows.unit(call.actor):
            if obj.name == VERSION:
                row_id = self._files.create(call, fields)
            else:
                row_id = self._rows.create(obj.name, fields)
        return {"id": row_id, "success": True, "errors": []}
