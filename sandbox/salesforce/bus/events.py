"""Publishing a platform event from field values."""

import uuid
from typing import Any

from sandbox.salesforce.bus import avro
from sandbox.salesforce.bus.bus import Bus
from sandbox.salesforce.bus.schemas import event_topic
from sandbox.salesforce.calls import Call
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.ids import make_id
from sandbox.salesforce.incoming import accepted_values
from sandbox.salesforce.rows import Rows
from sandbox.salesforce.schema import Object


def publish(bus: Bus, object_name: str, values: dict[str, Any], *, user_id: str, at_ms: int) -> str:
    """Put a platform event on the bus and return its EventUuid."""
    schema = bus.schemas.for_next_event(object_name)
    event_id = str(uuid.uuid4())
    payload = avro.encode(schema, {"CreatedDate": at_ms, "CreatedById": user_id} | values)
    bus.append(event_topic(object_name), event_id=event_id, schema_id=avro.schema_id(schema), payload=payload)
    return event_id


def publish_event(rows: Rows, bus: Bus, obj: Object, call: Call) -> dict[str, Any]:
    """Publish what a REST call carries and return its answer: a success that names the event under `errors`."""
    with rows.unit(call.actor):
        values = accepted_values(rows.tables, obj, call.fields(), creating=True)
        missing = [field.name for field in obj.fields if field.required and values.get(field.name) is None]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise SalesforceError("REQUIRED_FIELD_MISSING", message, fields=missing)
        event_id = publish(bus, obj.name, values, user_id=call.actor.user_id, at_ms=rows.unit_ms())
    enqueued = {"statusCode": "OPERATION_ENQUEUED", "message": event_id, "fields": []}
    return {"id": make_id(obj.prefix, 1), "success": True, "errors": [enqueued]}
