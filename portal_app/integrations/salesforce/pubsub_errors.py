"""Why a stream ended: the bus sends it in the trailer `error-code`; the gRPC status alone does not show it."""

from collections.abc import Iterable
from typing import Any

import grpc

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable
from portal_app.domain.ports.event_stream import PositionLost

VENDOR = "salesforce"
_PREFIX = "sfdc.platform.eventbus.grpc."
_POSITION = frozenset({"subscription.fetch.replayid.corrupted", "subscription.fetch.replayid.validation.failed"})
_SESSION = frozenset({"service.auth.error"})
_NEVER = frozenset(
    {
        "service.auth.headers.invalid",
        "service.tenant.license",
        "topic.not.found",
        "topic.meta.permission",
        "topic.validation.empty",
        "subscription.topic.cannot.subscribe",
        "schema.meta.permission",
        "schema.validation.failed",
        "subscription.fetch.requested.events.invalid",
        "subscription.fetch.topic.mismatch",
        "subscription.fetch.request.invalid",
    }
)
# Seconds to stay away where coming back at once would make it worse.
_PAUSES = {
    "subscription.limit.exceeded": 3600,
    "service.protection.triggered": 60,
    "service.protection.stream.limit.triggered": 60,
    "concurrent.client.limit.exceeded": 60,
}


def stream_fault(topic: str, code: grpc.StatusCode, trailers: Iterable[Any] | None) -> Exception:
    """Return PositionLost, ExternalRejected for what no reconnect fixes, else ExternalUnavailable."""
    name, request_id = _trailer(trailers, "error-code").removeprefix(_PREFIX), _trailer(trailers, "rpc-id")
    detail = f"{topic}: {code.name} {name}".rstrip()
    if name in _POSITION:
        return PositionLost(detail)
    if name in _NEVER:
        return ExternalRejected(detail, vendor=VENDOR, request_id=request_id)
    error = ExternalUnavailable(detail, vendor=VENDOR, request_id=request_id)
    if name in _PAUSES:
        error.retry_after = _PAUSES[name]
    return error


def is_about_session(code: grpc.StatusCode, trailers: Iterable[Any] | None) -> bool:
    """Say whether a new login is worth a try."""
    name = _trailer(trailers, "error-code").removeprefix(_PREFIX)
    return name in _SESSION or (not name and code == grpc.StatusCode.UNAUTHENTICATED)


def _trailer(trailers: Iterable[Any] | None, name: str) -> str:
    return next((str(value) for key, value in trailers or () if key == name), "")
