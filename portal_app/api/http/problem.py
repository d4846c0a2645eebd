"""Turns every error of the API into an application/problem+json response (RFC 9457)."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from portal_app.domain.errors import InvalidInput, NotFound, PortalError

_SOON_SECONDS = 2
_KIND = "application/problem+json"
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "code")},
        "status": {"type": "integer"},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
_RETRY_AFTER = {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 0}}
_ALLOW = {"description": "The methods of this address, with 405", "schema": {"type": "string"}}


def _documented(description: str, **headers: Any) -> dict[str, Any]:
    named = {name.replace("_", "-"): header for name, header in headers.items()}
    return {"description": description, "headers": named, "content": {_KIND: {"schema": _SCHEMA}}}


# The error responses of every route in OpenAPI.
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    "4XX": _documented("What is wrong with the request", Retry_After=_RETRY_AFTER, Allow=_ALLOW),
    "5XX": _documented("What is wrong on our side or a vendor's", Retry_After=_RETRY_AFTER),
}


class BadRequest(PortalError):
    """The request itself is incomplete."""

    code = "bad_request"
    status = 400
    user_message = "This request is incomplete."


class WrongMethod(PortalError):
    """The address exists, but does not take this method. `allowed` are those that it takes."""

    code = "method_not_allowed"
    status = 405
    user_message = "This address does not do that."

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__("method not allowed")
        self.allowed = tuple(sorted(allowed))


class TooSlow(PortalError):
    """The body did not arrive in time."""

    code = "request_timeout"
    status = 408
    user_message = "This took too long to arrive. Check your connection and try again."


class TooLarge(PortalError):
    """The body is larger than this route takes."""

    code = "too_large"
    status = 413
    user_message = "This is too large."


class UnknownFormat(PortalError):
    """The body is neither JSON nor a form."""

    code = "unsupported_media_type"
    status = 415
    user_message = "Send JSON or a form."


class HeadersTooLarge(PortalError):
    """The headers are larger than the portal takes."""

    code = "headers_too_large"
    status = 431
    user_message = "Your browser sent too much with this request. Remove the cookies of this site and try again."


def problem(error: PortalError) -> Response:
    """Return the response for an error: type, title, status, detail and code, with fields, Allow and Retry-After."""
    body = {
        "type": f"urn:portal:problem:{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.user_message,
        "code": error.code,
    }
    if isinstance(error, InvalidInput):
        body["fields"] = error.fields
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, WrongMethod):
        headers["Allow"] = ", ".join(error.allowed)
    if (seconds := _retry_after(error)) is not None:
        headers["Retry-After"] = str(seconds)
    return Response(orjson.dumps(body), error.status, headers, media_type=_KIND)


def answer_errors(api: FastAPI) -> None:
    """Register the handlers that turn expected errors into problem responses."""

    async def ours(_: Request, error: Exception) -> Response:
        return problem(error if isinstance(error, PortalError) else PortalError())

    async def malformed(_: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        if any(each["loc"][0] == "path" for each in found):
            return problem(NotFound())
        return problem(InvalidInput({str(each["loc"][-1]): str(each["msg"]) for each in found}))

    async def http(_: Request, error: Exception) -> Response:
        return problem(_from_http(error) if isinstance(error, HTTPException) else PortalError())

    api.add_exception_handler(PortalError, ours)
    api.add_exception_handler(RequestValidationError, malformed)
    api.add_exception_handler(HTTPException, http)


def _from_http(error: HTTPException) -> PortalError:
    if error.status_code == NotFound.status:
        return NotFound()
    refused = BadRequest(code=HTTPStatus(error.status_code).phrase.lower().replace(" ", "_"))
    refused.status = error.status_code
    return refused


def _retry_after(error: PortalError) -> int | None:
    seconds = getattr(error, "retry_after", None)
    if isinstance(seconds, int):
        return seconds
    return _SOON_SECONDS if error.retryable else None
