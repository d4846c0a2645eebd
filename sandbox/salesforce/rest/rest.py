"""The REST door: HTTP requests in, calls and logins through, answers out."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.broken_answers import LostAnswer, broken_answer, half_of
from sandbox.faults import Faults, VendorBroken, VendorDown, VendorFailed
from sandbox.salesforce.calls import Answer, Call, parsed_json, refused
from sandbox.salesforce.changes import Actor
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.rest import describe
from sandbox.salesforce.rest.faults import RestFaults
from sandbox.salesforce.rest.resources import Resources
from sandbox.salesforce.rest.usage import Usage
from sandbox.salesforce.sessions import Sessions
from sandbox.streamed import Content, Streamed

_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"]
_MAINTENANCE = (
    "<!DOCTYPE html><html><head><title>Salesforce</title></head>"
    "<body><h1>We are down for maintenance.</h1><p>We'll be back shortly.</p></body></html>"
)
_UNEXPECTED = "An unexpected error occurred. Please include this ErrorId if you contact support: 1-1 (-1)"


class RestDoor:
    """Serve /services/data: session check, faults, limits, then the resource."""

    def __init__(self, resources: Resources, sessions: Sessions, faults: Faults, usage: Usage) -> None:
        self._resources = resources
        self._sessions = sessions
        self._faults = faults
        self._usage = usage
        self._rest_faults = RestFaults(faults, usage)

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes to mount at the root."""
        return [
            Route("/services/data", self._versions, methods=["GET"]),
            Route("/services/data/", self._versions, methods=["GET"]),
            Route("/services/data/{path:path}", self._resource, methods=_METHODS),
        ]

    async def _versions(self, _request: Request) -> Response:
        return await guarded(self._faults, "versions", lambda: json_response(Answer(200, describe.versions())))

    async def _resource(self, request: Request) -> Response:
        async with _received(request) as (call, body):
            return await self._answered(request, call, body)

    async def _answered(self, request: Request, call: Call, body: bytes) -> Response:
        operation, writes = self._resources.operation(call)
        response = await guarded(self._faults, operation, lambda: self._serve(request, call, body))
        if writes and response.status_code < 300 and self._faults.loses_answer("salesforce", operation):
            return LostAnswer()
        return response

    def _serve(self, request: Request, call: Call, body: bytes) -> Response:
        try:
            user_id = self._user(request)
        except SalesforceError as error:
            # A call without a session belongs to no org's account.
            return json_response(refused(error))
        response = json_response(self._answer(call, user_id, body))
        response.headers["Sforce-Limit-Info"] = self._usage.header()
        return response

    def _answer(self, call: Call, user_id: str, body: bytes) -> Answer:
        operation, writes = self._resources.operation(call)
        # Switches are drawn before any transaction, which would undo their counting when it fails.
        try:
            self._rest_faults.check_limits()
            self._usage.count()
            call = _completed(call, user_id, parsed_json(body))
            self._rest_faults.check(call, operation, writes=writes)
        except SalesforceError as error:
            return refused(error)
        if writes and self._rest_faults.locks_row():
            call = replace(call, locked=True)
        return self._rest_faults.several_matches(call) or self._resources.handle(call)

    def _user(self, request: Request) -> str:
        if self._faults.take_special("salesforce", "expire_sessions"):
            self._sessions.expire_all()
        self._rest_faults.check_session()
        user_id = self._sessions.user_of(bearer_token(request))
        if user_id is None:
            raise SalesforceError("INVALID_SESSION_ID", "Session expired or invalid", status=401)
        return user_id


async def guarded(faults: Faults, operation: str, serve: Callable[[], Response]) -> Response:
    """Serve a request unless the vendor's fault settings forbid it."""
    try:
        await faults.before("salesforce", operation)
    except VendorDown:
        return Response(_MAINTENANCE, 503, media_type="text/html")
    except VendorFailed:
        return json_response(refused(SalesforceError("UNKNOWN_EXCEPTION", _UNEXPECTED, status=500)))
    except VendorBroken as broken:
        return broken_answer(broken)
    response = serve()
    return half_of(response) if faults.halves_answer("salesforce", operation) else response


def json_response(answer: Answer) -> Response:
    """Return an answer as an HTTP response."""
    if answer.body is None:
        return Response(status_code=answer.status, headers=answer.headers)
    if isinstance(answer.body, Content):
        return Streamed(answer.body, answer.headers)
    content = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
    media_type = "application/json;charset=UTF-8"
    return Response(content, answer.status, headers=answer.headers, media_type=media_type)


def bearer_token(request: Request) -> str:
    """Return the token a request carries, empty without one; `OAuth` is the older word for Bearer."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else ""


def _call(request: Request) -> Call:
    # The raw path is split before decoding, so that an encoded slash stays inside its segment.
    raw: Any = request.scope.get("raw_path") or request.url.path.encode()
    segments = raw.decode("latin-1").split("?")[0].split("/services/data/", 1)[-1].split("/")
    return Call(
        method=request.method,
        path=tuple(unquote(segment) for segment in segments[1:]),
        version=segments[0].removeprefix("v"),
        query=dict(parse_qsl(request.url.query, keep_blank_values=True)),
        headers=dict(request.headers),
    )


@asynccontextmanager
async def _received(request: Request) -> AsyncIterator[tuple[Call, bytes]]:
    """Yield the call and its body: of a multipart upload the JSON part, while its file lies on the disk."""
    call = _call(request)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        yield call, await request.body()
        return
    async with request.form(max_part_size=64 * 1024 * 1024) as form:
        entity, data = form.get("entity_content", b""), form.get("VersionData")
        head = await entity.read() if isinstance(entity, UploadFile) else str(entity).encode()
        yield replace(call, blob=data.file if isinstance(data, UploadFile) else None), head


def _completed(call: Call, user_id: str, body: Any) -> Call:
    client = call.headers.get("sforce-call-options", "").partition("client=")[2].split(",")[0].strip()
    origin = f"com/salesforce/api/rest/{call.version};client={client}"
    return replace(call, body=body, actor=Actor(user_id, origin))
