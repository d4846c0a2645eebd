"""Pub/Sub refusals: a gRPC status with the trailers that clients branch on."""

import uuid
from typing import Any, NoReturn

import grpc

_BUSY, _DENIED = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.PERMISSION_DENIED
_WRONG, _AWAY = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAVAILABLE
# The status that goes with each code; where the vendor does not say, the likeliest.
STATUSES = {
    "service.auth.error": grpc.StatusCode.UNAUTHENTICATED,
    "service.auth.headers.invalid": grpc.StatusCode.UNAUTHENTICATED,
    "service.auth.refresh.invalid": grpc.StatusCode.UNAUTHENTICATED,
    "service.unavailable": _AWAY,
    "service.protection.triggered": _BUSY,
    "service.protection.stream.limit.triggered": _BUSY,
    "service.tenant.license": _DENIED,
    "concurrent.client.limit.exceeded": _BUSY,
    "topic.not.found": grpc.StatusCode.NOT_FOUND,
    "topic.meta.permission": _DENIED,
    "topic.validation.empty": _WRONG,
    "topic.api.unavailable": _AWAY,
    "schema.meta.permission": _DENIED,
    "schema.validation.failed": _WRONG,
    "schema.api.unavailable": _AWAY,
    "subscription.topic.cannot.subscribe": _DENIED,
    "subscription.internal.error": grpc.StatusCode.INTERNAL,
    "subscription.fetch.replayid.corrupted": _WRONG,
    "subscription.fetch.replayid.validation.failed": _WRONG,
    "subscription.fetch.replay.repeated": _WRONG,
    "subscription.fetch.requested.events.invalid": _WRONG,
    "subscription.fetch.topic.mismatch": _WRONG,
    "subscription.fetch.overflow": _BUSY,
    "subscription.fetch.request.invalid": _WRONG,
    "subscription.limit.exceeded": _BUSY,
    "publish.event.count.invalid": _WRONG,
    "publish.topic.mismatch": _WRONG,
    "publish.topic.validation.empty": _WRONG,
    "publish.auth.refresh.invalid": grpc.StatusCode.UNAUTHENTICATED,
    "publish.stream.sweeper.timeout": _AWAY,
}
_PREFIX = "sfdc.platform.eventbus.grpc."
_AUTH = "An authentication exception occurred. Provide valid authentication via metadata headers."


class PubSubError(Exception):
    """A refused call; without a code it looks like a fault of the network between."""

    def __init__(self, status: grpc.StatusCode, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def unauthenticated() -> PubSubError:
    """Return the refusal of an unknown or expired token."""
    return PubSubError(grpc.StatusCode.UNAUTHENTICATED, "service.auth.error", _AUTH)


def headers_invalid() -> PubSubError:
    """Return the refusal of missing or misshapen metadata."""
    return PubSubError(grpc.StatusCode.UNAUTHENTICATED, "service.auth.headers.invalid", _AUTH)


def unavailable() -> PubSubError:
    """Return the refusal of a service that is down."""
    message = "The service is unavailable. Try again later."
    return PubSubError(grpc.StatusCode.UNAVAILABLE, "service.unavailable", message)


def dropped() -> PubSubError:
    """Return what a client sees when something on the way cuts its stream."""
    return PubSubError(grpc.StatusCode.UNAVAILABLE, "", "RST_STREAM closed stream. HTTP/2 error code: NO_ERROR")


def invalid(code: str, message: str) -> PubSubError:
    """Return the refusal of a wrong argument."""
    return PubSubError(grpc.StatusCode.INVALID_ARGUMENT, code, message)


def replay_corrupted() -> PubSubError:
    """Return the refusal of a replay id that is unknown or has aged away."""
    message = "The Replay ID validation failed. Ensure that the Replay ID is valid."
    return invalid("subscription.fetch.replayid.corrupted", message)


def topic_not_found(topic: str, org_id: str) -> PubSubError:
    """Return the refusal of a topic the org does not have."""
    message = f"The topic information for org CORE/prod/{org_id[:15]} and topic {topic} not found."
    return PubSubError(grpc.StatusCode.NOT_FOUND, "topic.not.found", message)


def limited() -> PubSubError:
    """Return the refusal of deliveries beyond the day's allowance."""
    message = "The subscriber has exceeded the daily limit of delivered events."
    return PubSubError(grpc.StatusCode.RESOURCE_EXHAUSTED, "subscription.limit.exceeded", message)


def error_named(name: str) -> PubSubError:
    """Return the error of a code, with the status that follows it after a slash or else the usual one."""
    code, _, status = name.partition("/")
    kind = getattr(grpc.StatusCode, status.upper(), None) or STATUSES.get(code, grpc.StatusCode.INTERNAL)
    return PubSubError(kind, code, "The call was refused on demand.")


async def refuse(context: Any, error: PubSubError, call: str) -> NoReturn:
    """End a call with an error."""
    if not error.code:
        await context.abort(error.status, error.message)
    rpc_id = str(uuid.uuid4())
    trailers = (("error-code", _PREFIX + error.code), ("rpc-id", rpc_id), ("type", call))
    await context.abort(error.status, f"{error.message} rpcId: {rpc_id}", trailers)
    raise AssertionError("abort always raises")
