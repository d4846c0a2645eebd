"""The short way: an answer that is kept as bytes leaves before routing, with one question to Redis.

The first time, a route answers and says what its answers are kept under, and how they are made anew; whoever asks for
the same address afterwards gets theirs from there. Who has no living session or is over the limit goes on to the door,
and so does what nobody foresaw.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from portal_app.api.http.problem import problem
from portal_app.api.http.responses import written
from portal_app.domain.errors import NotSignedIn, PortalError
from portal_app.domain.profile.customer import Customer
from portal_app.infra.redis.cache import Entry
from portal_app.infra.security.cookies import cookie_name
from portal_app.infra.security.tokens import Access
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.current_customer import working_for
from portal_app.wiring.portal import portal

COUNTED = "portal.counted"
_NOTE = "portal.kept"
_LONGEST_QUERY = 200
_MOST_KNOWN = 20_000
# What an answer is kept under: everybody's, or each user's own.
Place = Entry | Callable[[UUID], Entry]
Rebuild = Callable[[Customer], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the answers to an address are kept under, how one is made anew, and which route makes them."""

    place: Place
    anew: Rebuild | None
    route: Any


def cached_under(request: Request, place: Place, anew: Rebuild | None = None) -> None:
    """Say in a route what its answer is kept under: the bytes there are the whole of it, for this user or for all.

    The same address, of the same user where it is each user's own, must always lead to the same entry. `anew` makes
    the answer of the same address for any customer, as the route does.
    """
    request.scope[_NOTE] = place, anew


class CachedResponses:
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
        known = self._known.get((scope["path"], scope["query_string"]))
        answer = await self._answer(scope, known) if known else None
        await (answer(scope, receive, send) if answer else self._learn(scope, receive, send))

    async def _answer(self, scope: Scope, known: _Known) -> Response | None:
        scope["route"] = known.route
        if isinstance(known.place, Entry):
            body = await portal().response_cache.for_everyone(known.place)
            return written(body) if body is not None else None
        access = self._asker(scope)
        if access is None:
            return None
        looked = await portal().response_cache.for_customer(access, known.place(access.user_id))
        scope[COUNTED] = looked.is_counted
        if looked.body is not None:
            return written(looked.body)
        return await _made(known.anew, access) if known.anew and looked.is_counted else None

    def _asker(self, scope: Scope) -> Access | None:
        token = Request(scope).cookies.get(self._cookie, "")
        try:
            return portal().identity.sessions.read_access_token(token) if token else None
        except NotSignedIn:
            return None

    async def _learn(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
        if (note := scope.get(_NOTE)) is None or len(scope["query_string"]) > _LONGEST_QUERY:
            return
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[scope["path"], scope["query_string"]] = _Known(*note, scope.get("route"))


async def _made(anew: Rebuild, access: Access) -> Response | None:
    try:
        with working_for(str(access.user_id)):
            return await anew(await portal().identity.accounts.customer(access.user_id))
    except PortalError as error:
        # Said here: the long way would wait for the same vendor a second time.
        return problem(error)
    except Exception:
        # A defect: the long way meets it too, and there it is logged.
        return None
