"""Access log: gives each request its deadline, counts it and logs one line. Only the correlation id stands outside."""

import time
from collections.abc import Sequence
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app.api.http.problem import problem
from portal_app.api.http.request_context import known_context_of
from portal_app.api.public import built_frontend
from portal_app.domain.errors import PortalError
from portal_app.infra.metrics import count_request
from portal_app.infra.tasks.deadline import request_deadline

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Granian names itself where the application does not: which server this is helps nobody but an attacker.
_SERVER = ((b"server", b"portal"),)
_QUIET = ("/api/health/", "/assets/")
_log = structlog.get_logger(__name__)


class AccessLog:
    """Count and log requests by route template: never a query, a body or an id of a path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; sockets pass through, but for the answer to a refused handshake."""
        if scope["type"] == "websocket":
            await self._app(scope, receive, _Handshake(scope, send).send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer, started = _Response(send, _SERVER), time.perf_counter()
        # A server may answer several requests in one context: what one bound is not the next one's.
        structlog.contextvars.clear_contextvars()
        try:
            with request_deadline():
                await self._app(scope, receive, answer.send)
        finally:
            _log_request(scope, answer.status, time.perf_counter() - started)


class ErrorMiddleware:
    """Answer an unexpected exception with a plain 500 and log it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; sockets pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Response(send)
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            # The caller disconnected or was too slow: not a failure, and no response can reach it.
            _log.info("request.aborted", method=scope["method"], route=route_of(scope))
        except Exception:
            _log.exception("request.failed", method=scope["method"], route=route_of(scope))
            if answer.has_begun:
                raise
            await problem(PortalError())(scope, receive, send)


class _Response:
    """Passes a response on, with some headers more, and remembers its status."""

    def __init__(self, send: Send, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self._send = send
        self._headers = headers
        self.status = 499
        self.has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.has_begun = message["status"], True
            message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
        await self._send(message)


class _Handshake:
    """Passes a socket on; the answer to a refused handshake is ours, not the one that names the server."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._may_answer = "websocket.http.response" in (scope.get("extensions") or {})

    async def send(self, message: Message) -> None:
        if self._may_answer and message["type"] == "websocket.close":
            headers = [*_SERVER, (b"content-length", b"0")]
            await self._send({"type": "websocket.http.response.start", "status": 403, "headers": headers})
            message = {"type": "websocket.http.response.body", "body": b""}
        self._may_answer = False
        await self._send(message)


def route_of(scope: Scope) -> str:
    """Return the template of the route that answered: of the API's, a built page's path, or a word for the rest."""
    route: Any = scope.get("route")
    template = getattr(route, "path_format", "")
    if template.startswith("/api/"):
        return str(template)
    path: str = scope["path"]
    if path.startswith("/assets/"):
        return "assets"
    if path.startswith("/api/"):
        return "unknown api"
    return ("/" + path.strip("/")) if built_frontend.page_file(path) else "other"


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in _METHODS else "other"
    route = route_of(scope)
    count_request(method, route, status=status, seconds=seconds)
    write = _log.debug if status < 400 and scope["path"].startswith(_QUIET) else _log.info
    write("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), **_user_of(scope))


def _user_of(scope: Scope) -> dict[str, str]:
    """Return the user's id where somebody is signed in; it names nobody outside the portal's own tables."""
    context = known_context_of(scope)
    return {"user": str(context.access.user_id)} if context and context.access else {}
