"""What is known of one request, in one object of its scope: where it comes from, its session, its cached response."""

import secrets
from collections.abc import Awaitable, Callable
from functools import cache, cached_property
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

import structlog
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from portal_app.domain.errors import PortalError
from portal_app.domain.identity.account import Origin
from portal_app.domain.profile.customer import Customer
from portal_app.infra.redis.cache import Entry
from portal_app.infra.security.cookies import cookie_name
from portal_app.infra.security.tokens import Access
from portal_app.infra.settings import Settings
from portal_app.language import DEFAULT, LANGUAGES, Language, speaking

_log = structlog.get_logger(__name__)
_KEY = "portal.context"
# Four accounts' marks of a known device.
_LONGEST_MARKS = 400
# The cache entry of a response: one for everybody, or one for each user; and what builds the response again.
CacheEntry = Entry | Callable[[UUID], Entry]
Rebuild = Callable[[Customer], Awaitable[Response]]


class RequestContext:
    """One request. Properties are read from its headers once; attributes are set by the layer that they name."""

    def __init__(self, scope: Scope, settings: Settings) -> None:
        self._connection = HTTPConnection(scope)
        self._settings = settings
        # By SessionMiddleware: the live session, or why it is unknown whether there is one.
        self.access: Access | None = None
        self.session_error: PortalError | None = None
        # By CachedResponses: whether the request counts against the customer's limit already.
        self.is_counted = False
        # By the route, through `cached_under`.
        self.cached_under: tuple[CacheEntry, Rebuild | None] | None = None
        # By `raw_body`, which reads the stream once.
        self.body: bytes | None = None

    @cached_property
    def page(self) -> SplitResult:
        """The address of the page a form stood on; an empty one where the browser does not tell, or nonsense."""
        try:
            return urlsplit(self._connection.headers.get("referer", ""))
        except ValueError:
            return urlsplit("")

    @cached_property
    def language(self) -> Language:
        """The language of that page."""
        return language_of(self.page.path) or DEFAULT

    @cached_property
    def origin(self) -> Origin:
        """Where the request comes from: for limits, the audit and the device list.

        A browser is recognised by a random mark in a cookie; one that has none gets this one when it signs in.
        """
        cookies = self._connection.cookies
        device = cookies.get(cookie_name(self._settings, "device"), "")[:100]
        return Origin(
            address_of(self._connection, self._settings)[:64],
            self._connection.headers.get("user-agent", "")[:200],
            self.language,
            device or secrets.token_urlsafe(32),
            cookies.get(cookie_name(self._settings, "known"), "")[:_LONGEST_MARKS],
        )


class RequestContextMiddleware:
    """Give each request its context, and speak the language of its page while it is answered."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; sockets pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = scope[_KEY] = RequestContext(scope, self._settings)
        with speaking(context.language):
            await self._app(scope, receive, send)


def context_of(scope: Scope) -> RequestContext:
    """Return the context of a request."""
    context: RequestContext = scope[_KEY]
    return context


def known_context_of(scope: Scope) -> RequestContext | None:
    """Return the context of a request that got as far as having one."""
    return scope.get(_KEY)


def language_of(path: str) -> Language | None:
    """Return the language of a page's path, None where it says none."""
    return next((each for each in LANGUAGES if path == f"/{each}" or path.startswith(f"/{each}/")), None)


@cache
def _warn_of_proxy() -> None:
    """Say once in this process that a proxy is not believed: then all customers share the limits of one address."""
    _log.warning("proxy.not_trusted", setting="PORTAL_TRUSTED_PROXIES", header="X-Forwarded-For")


def address_of(connection: HTTPConnection, settings: Settings) -> str:
    """Return the network address of a request or socket, as far as proxies are trusted to tell it."""
    address = connection.client.host if connection.client else ""
    trusted = settings.portal_trusted_proxies
    if trusted > 0:
        lines = connection.headers.getlist("x-forwarded-for")
        forwarded = [part.strip() for line in lines for part in line.split(",")]
        # Entries further left come from the caller of the outermost proxy.
        address = forwarded[-trusted] if len(forwarded) >= trusted else address
    elif "x-forwarded-for" in connection.headers:
        _warn_of_proxy()
    return address
