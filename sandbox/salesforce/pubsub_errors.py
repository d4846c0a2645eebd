"""Pub/Sub refusals: a gRPC status with the trailers that clients branch on."""

import uuid
from typing import Any, NoReturn

import grpc

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


async def refuse(context: Any, error: PubSubError, call: str) -> NoReturn:
    """End a call with an error."""
    if not error.code:
        await context.abort(error.status, error.message)
    rpc_id = str(uuid.uuid4())
    trailers = (("error-code", _PREFIX + error.code), ("rpc-id", rpc_id), ("type", call))
    await context.abort(error.status, f"{error.message} rpcId: {rpc_id}", trailers)
    raise AssertionError("abort always raises")
