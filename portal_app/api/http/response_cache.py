"""Response cache: serves a cached body before routing, with one Redis call for session, rate limit and body.

The first response of an address comes from its route, which names the cache entry with `cached_under`; later requests
for the same address are answered here. A request without a live session or above the limit takes the uncached path,
through the routes, and so does a request that fails here unexpectedly.
"""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from portal_app.api.http.problem import problem
from portal_app.api.http.request_context import CacheEntry, Rebuild, context_of
from portal_app.api.http.responses import written
from portal_app.domain.errors import NotSignedIn, PortalError
from portal_app.infra.redis.cache import Entry
from portal_app.infra.security.cookies import cookie_name
from portal_app.infra.security.tokens import Access
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.current_customer import working_for
from portal_app.wiring.portal import portal

_LONGEST_QUERY = 200
_MOST_ROUTES = 20_000


@dataclass(frozen=True, slots=True)
class _CachedRoute:
    """The cache entry of an address, what builds its response again, and the route, for metrics and the access log."""

    entry: CacheEntry
    rebuild: Rebuild | None
    route: Any


def cached_under(request: Request, entry: CacheEntry, rebuild: Rebuild | None = None) -> None:
    """Name the cache entry of a route's response: its bytes are the whole body, for this user or for everybody.

    The same address, of the same user where the entry is per user, must always lead to the same entry. `rebuild` builds
    the response of the same address for any customer, as the route does.
    """
    context_of(request.scope).cached_under = entry, rebuild


class CachedResponses:
    """Answer from the cache, or pass the request on and remember the cache entry that its route names."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._cookie = cookie_name(settings, "access")
        # By path and query as they were sent.
        self._routes: dict[tuple[str, bytes], _CachedRoute] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; all but GET requests to the API pass through."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        cached = self._routes.get((scope["path"], scope["query_string"]))
        response = await self._cached_response(scope, cached) if cached else None
        await (response(scope, receive, send) if response else self._pass_on(scope, receive, send))

    async def _cached_response(self, scope: Scope, cached: _CachedRoute) -> Response | None:
        scope["route"] = cached.route
        if isinstance(cached.entry, Entry):
            body = await portal().response_cache.for_everyone(cached.entry)
            return written(body) if body is not None else None
        access = self._access(scope)
        if access is None:
            return None
        lookup = await portal().response_cache.for_customer(access, cached.entry(access.user_id))
        context_of(scope).is_counted = lookup.is_counted
        if lookup.body is not None:
            return written(lookup.body)
        return await _rebuilt(cached.rebuild, access) if cached.rebuild and lookup.is_counted else None

    def _access(self, scope: Scope) -> Access | None:
        token = Request(scope).cookies.get(self._cookie, "")
        try:
            return portal().identity.sessions.read_access_token(token) if token else None
        except NotSignedIn:
            return None

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
        named = context_of(scope).cached_under
        if named is None or len(scope["query_string"]) > _LONGEST_QUERY:
            return
        if len(self._routes) >= _MOST_ROUTES:
            self._routes.clear()
        self._routes[scope["path"], scope["query_string"]] = _CachedRoute(*named, scope.get("route"))


async def _rebuilt(rebuild: Rebuild, access: Access) -> Response | None:
    try:
        with working_for(str(access.user_id)):
            return await rebuild(await portal().identity.accounts.customer(access.user_id))
    except PortalError as error:
        # Answered here: the uncached path would wait for the same vendor a second time.
        return problem(error)
    except Exception:
        # A defect: the uncached path meets it too and logs it.
        return None
