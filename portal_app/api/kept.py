"""The short way: an answer that is kept as bytes leaves before routing, with one question to Redis.

The first time, a route answers and says what its answers are kept under; whoever asks for the same address afterwards
gets theirs from there. Everything that is not plainly a kept answer for a living session within its limit goes on to
the door.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from portal_app.domain.errors import NotSignedIn
from portal_app.infra.cache import Entry
from portal_app.infra.cookies import cookie_name
from portal_app.infra.settings import Settings
from portal_app.infra.tokens import Access
from portal_app.wiring import Look, portal

COUNTED = "portal.counted"
_NOTE = "portal.kept"
_LONGEST_QUERY = 200
_MOST_KNOWN = 20_000
_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
# What an answer is kept under: everybody's, or each user's own.
Place = Entry | Callable[[UUID], Entry]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the answers to an address are kept under, and which route made them."""

    place: Place
    route: Any


def kept_under(request: Request, place: Place) -> None:
    """Say in a route what its answer is kept under: the bytes there are the whole of it, for this user or for all.

    The same address, of the same user where it is each user's own, must always lead to the same entry.
    """
    request.scope[_NOTE] = place


class Kept:
    """Answer from what is kept, or pass on and learn where the answer is kept."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._cookie = cookie_name(settings, "access")
        # By path and query as they came.
        self._known: dict[tuple[str, bytes], _Known] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what is no reading of the API passes through."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        looked = await self._look(scope)
        scope[COUNTED], body = looked.is_counted, looked.body
        if body is None:
            await self._learn(scope, receive, send)
            return
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, length]})
        await send({"type": "http.response.body", "body": body})

    async def _look(self, scope: Scope) -> Look:
        known = self._known.get((scope["path"], scope["query_string"]))
        if known is None:
            return Look()
        scope["route"] = known.route
        if isinstance(known.place, Entry):
            return await portal().answers.public(known.place)
        access = self._asker(scope)
        return await portal().answers.own(access, known.place(access.user_id)) if access else Look()

    def _asker(self, scope: Scope) -> Access | None:
        token = Request(scope).cookies.get(self._cookie, "")
        try:
            return portal().sessions.read(token) if token else None
        except NotSignedIn:
            return None

    async def _learn(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
        if (place := scope.get(_NOTE)) is None or len(scope["query_string"]) > _LONGEST_QUERY:
            return
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[scope["path"], scope["query_string"]] = _Known(place, scope.get("route"))
