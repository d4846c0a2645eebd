"""Responses: JSON for programs, a redirect to a page for native forms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal_app.api.http.request_context import context_of, language_of
from portal_app.api.http.request_parsing import Body, takes, wants_json
from portal_app.api.http.resource import Resource
from portal_app.domain.errors import InvalidInput, PortalError
from portal_app.language import _, path_for, speaking, spoken
from portal_app.wiring.portal import portal

GENERAL, DONE = "form", "done"
# The end of a body with fresh data, so that most cached lists need no parsing.
_FRESH = b'"as_of":null}'
# For OpenAPI: where a response leads on, and what became of a request.
LOCATION: dict[str, Any] = {"Location": {"required": True, "schema": {"type": "string", "format": "uri-reference"}}}
_SEE_OTHER: dict[str, Any] = {"description": "Where a native form is led, to a page or to WHMCS", "headers": LOCATION}
AGE: dict[str, Any] = {
    "X-Data-As-Of": {"description": "The time of saved data", "schema": {"type": "string", "format": "date-time"}}
}
CREATED: dict[int | str, dict[str, Any]] = {201: {"headers": LOCATION}}


@dataclass
class Next(Resource):
    """The page to go on to."""

    next: str


@dataclass
class NextWithDetail(Next):
    """The page to go on to, and what was done, in the words that a customer reads there."""

    detail: str


def form_route(answer: type[Resource], model: type[Body] | None = None) -> dict[str, Any]:
    """Return what OpenAPI is told of a route that leads native forms on, and answers programs with JSON."""
    extra = {"openapi_extra": takes(model)} if model else {}
    return {"response_model": answer, "responses": {303: _SEE_OTHER}, **extra}


def json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response that is not cached."""
    return written(body_of(content), status, headers)


def body_of(content: Any) -> bytes:
    """Return content as JSON bytes."""
    return orjson.dumps(content, option=orjson.OPT_UTC_Z)


def written(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response whose body is JSON bytes."""
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, media_type="application/json")


def written_list(body: bytes) -> Response:
    """Return a response whose JSON bytes end in `as_of`; saved data also gets the header of its age."""
    if body.endswith(_FRESH):
        return written(body)
    return written(body, headers=as_of(datetime.fromisoformat(orjson.loads(body)["as_of"])))


def as_of(time: datetime | None) -> dict[str, str]:
    """Return the header with the age of saved data, none for fresh data."""
    return {"X-Data-As-Of": time.isoformat()} if time else {}


def see_other(target: str) -> Response:
    """Send a browser on to a page or link with a GET."""
    return RedirectResponse(target, 303, headers={"Cache-Control": "no-store"})


def with_cookies(response: Response, cookies: list[str]) -> Response:
    """Add Set-Cookie headers to a response."""
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
    return response


def done(request: Request, target: str, *, cookies: list[str] | None = None) -> Response:
    """Return success and the next page: `{"next": path}` for programs, a redirect for forms."""
    response = json({"next": target}) if wants_json(request) else see_other(target)
    return with_cookies(response, cookies or [])


async def sent_on(request: Request, route: str, words: str, *, cookies: list[str] | None = None) -> Response:
    """Send a form on to a page that says what was done, found under `?flash=` as "done"; programs get the words."""
    if wants_json(request):
        return with_cookies(json({"next": route, "detail": words}), cookies or [])
    flash = await _stored(request, {DONE: _(words)})
    return with_cookies(see_other(f"{path_for(route)}?{urlencode({'flash': flash})}"), cookies or [])


async def refused(
    request: Request,
    error: PortalError,
    route: str,
    *,
    typed: Mapping[str, str] | None = None,
    next_path: str = "",
    cookies: list[str] | None = None,
    longest: int = 300,
) -> Response:
    """Send a form back to its page with what is wrong; programs get the problem.

    The page finds under `?flash=` the messages by field, the general one as "form", and what was typed in a field
    as "typed:<field>", its first `longest` characters. A route may end in the `#place` of its form.
    """
    with speaking(language_of(next_path) or spoken()):
        if wants_json(request):
            # A page's own script shows the words as they come.
            raise _in_words(error)
        query = {"flash": await _stored(request, _messages(error, typed or {}, longest))}
        page, mark, place = path_for(route).partition("#")
    if next_path:
        query["next"] = next_path
    return with_cookies(see_other(f"{page}?{urlencode(query)}{mark}{place}"), cookies or [])


async def _stored(request: Request, messages: dict[str, str]) -> str:
    return await portal().flash_messages.store(messages, network=context_of(request.scope).origin.network)


def _in_words(error: PortalError) -> PortalError:
    error.user_message = _(error.user_message)
    if isinstance(error, InvalidInput):
        error.fields = {name: _(text) for name, text in error.fields.items()}
    return error


def _messages(error: PortalError, typed: Mapping[str, str], longest: int) -> dict[str, str]:
    fields = error.fields if isinstance(error, InvalidInput) else {}
    messages = {name: _(text) for name, text in {GENERAL: error.user_message, **fields}.items()}
    return messages | {f"typed:{name}": value[:longest] for name, value in typed.items() if value}
