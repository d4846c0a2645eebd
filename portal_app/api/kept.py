"""The short way: an answer that is kept as bytes leaves before routing, with one question to Redis.

The first time, a route answers and says what its answer is kept under; who asks for the same address again gets it from
there. Everything that is not plainly a kept answer for a living session within its limit goes on to the door.
"""

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
from portal_app.wiring import portal

_NOTE = "portal.kept"
_LONGEST_QUERY = 200
_MOST_KNOWN = 20_000
_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
# Who asks for what: the user, nobody for what is everybody's; the path and the query as they came.
_Question = tuple[UUID | None, str, bytes]


@dataclass(frozen=True, slots=True)
class _Known:
    """What an answer is kept under, and which route made it."""

    entry: Entry
    route: Any


def kept_under(request: Request, entry: Entry, *, owner: UUID | None) -> None:
    """Say in a route what its answer is kept under: the bytes there are the whole of it, for this owner or for all.

    The same address must always lead to the same entry.
    """
    request.scope.setdefault(_NOTE, {})[owner] = entry


class Kept:
    """Answer from what is kept, or pass on and learn where the answer is kept."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._cookie = cookie_name(settings, "access")
        self._known: dict[_Question, _Known] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what is no reading of the API passes through."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        body = await self._look(scope)
        if body is None:
            await self._learn(scope, receive, send)
            return
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, length]})
        await send({"type": "http.response.body", "body": body})

    async def _look(self, scope: Scope) -> bytes | None:
        path, query = scope["path"], scope["query_string"]
        if (known := self._known.get((None, path, query))) is not None:
            scope["route"] = known.route
            return await portal().answers.public(known.entry)
        access = self._asker(scope)
        known = self._known.get((access.user_id, path, query)) if access else None
        if access is None or known is None:
            return None
        scope["route"] = known.route
        return await portal().answers.own(access, known.entry)

    def _asker(self, scope: Scope) -> Access | None:
        token = Request(scope).cookies.get(self._cookie, "")
        try:
            return portal().sessions.read(token) if token else None
        except NotSignedIn:
            return None

    async def _learn(self, scope: Scope, receive: Receive, send: Send) -> None:
        notes: dict[UUID | None, Entry] = {}
        scope[_NOTE] = notes
        await self._app(scope, receive, send)
        if len(scope["query_string"]) > _LONGEST_QUERY:
            return
        for owner, entry in notes.items():
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[owner, scope["path"], scope["query_string"]] = _Known(entry, scope.get("route"))
