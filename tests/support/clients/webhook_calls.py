"""Deliveries as the WHMCS bridge sends them, and malformed ones."""

import json
import time
from typing import Any

import httpx

from portal_app.integrations.whmcs.webhooks import sign
from portal_app.models.inbox import Inbox
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor

PATH = "/api/webhooks/whmcs"
KEY, SECRET = "k1", b"sandbox-webhook-secret"


def body_of(delivery: str, *, kind: str = "InvoicePaid", data: dict[str, Any] | None = None) -> bytes:
    """Return the body of an event."""
    content = {"id": delivery, "event": kind, "occurred_at": "2026-01-06T10:00:00Z", "api_version": 1}
    return json.dumps({**content, "data": data or {}}).encode()


def headers_of(delivery: str, body: bytes, *, key: str = KEY, secret: bytes = SECRET, age: float = 0) -> dict[str, str]:
    """Return the signed headers of a delivery, made `age` seconds ago."""
    timestamp = str(int(time.time() - age))
    return {
        "Content-Type": "application/json; charset=utf-8",
        "X-Whmcs-Delivery": delivery,
        "X-Whmcs-Timestamp": timestamp,
        "X-Whmcs-Key": key,
        "X-Whmcs-Signature": sign(secret, timestamp=timestamp, delivery=delivery, body=body),
    }


async def deliver(
    visitor: Visitor, delivery: str, *, kind: str = "InvoicePaid", data: dict[str, Any] | None = None, **signed: Any
) -> httpx.Response:
    """Send one event with the given signature."""
    body = body_of(delivery, kind=kind, data=data)
    return await visitor.http.post(PATH, content=body, headers=headers_of(delivery, body, **signed))


async def inbox_of(worker: Portal, delivery: str) -> Inbox | None:
    """Return what the inbox holds of a delivery."""
    async with worker.database.unit_of_work() as session:
        return await session.get(Inbox, ("whmcs", delivery))
