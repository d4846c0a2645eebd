"""Sessions at the HTTP edge: protected pages need a live session, and an expired access token is renewed here."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app.api.http.problem import problem
from portal_app.api.http.request_context import context_of
from portal_app.api.public.unavailable_page import away_page, foreign_form_page
from portal_app.domain.errors import NotAllowed, NotSignedIn, PortalError
from portal_app.domain.local_path import path_after_sign_in
from portal_app.infra.log.rare_log import log_rarely
from portal_app.infra.security.cookies import cookie_name
from portal_app.infra.security.tokens import Access
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.current_customer import working_for
from portal_app.wiring.portal import Portal, portal

SIGN_IN, HOME = "/auth/login", "/dashboard"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_UNCHECKED = ("/api/webhooks/",)
# These routes give out or take away tokens themselves; a second set of cookies would undo their work.
_OWN_TOKENS = "/api/auth/"


class SessionMiddleware:
    """Read and renew sessions; refuse writes from other sites and protected pages without a session."""

    def __init__(self, app: ASGIApp, settings: Settings, needs_session: Callable[[str], bool]) -> None:
        self._app = app
        self._settings = settings
        self._needs_session = needs_session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; sockets pass through, the guard checks their sessions."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        is_api = path.startswith("/api/")
        headers = Headers(scope=scope)
        if is_api and scope["method"] not in _SAFE and not path.startswith(_UNCHECKED) and not self._is_ours(headers):
            await self._refused(scope, headers)(scope, receive, send)
            return
        if not is_api and not self._needs_session(path):
            await (await self._past_sign_in(scope) or self._app)(scope, receive, send)
            return
        if not is_api and scope["method"] == "POST":
            # Another site leads back by form, which brings no cookies along; the page itself is read with a GET.
            # One slash only: a second one would name a host.
            await RedirectResponse("/" + _address_of(scope).lstrip("/\\"), 303)(scope, receive, send)
            return
        may_renew = not is_api or (_is_browser(headers) and not path.startswith(_OWN_TOKENS))
        context = context_of(scope)
        try:
            access, renewed = await self._session(Request(scope), may_renew=may_renew)
        except PortalError as error:
            # An outage is no sign-out: pages and routes for customers answer with this error, other routes go on.
            access, renewed, context.session_error = None, None, error
            if not is_api:
                await away_page(scope, error)(scope, receive, send)
                return
        if access is None and not is_api:
            await _to_sign_in(scope)(scope, receive, send)
            return
        context.access = access
        with working_for(str(access.user_id) if access else ""):
            await self._app(scope, receive, _with_cookies(send, renewed, self._settings, is_page=not is_api))

    def _refused(self, scope: Scope, headers: Headers) -> Response:
        """Answer a write of another site, in the log with what PORTAL_URL would have to be; a person gets a page."""
        origin, site = headers.get("origin", ""), headers.get("sec-fetch-site", "")
        log_rarely(
            "requests.refused_origin", "not PORTAL_URL", origin=origin, site=site, portal_url=self._settings.portal_url
        )
        if "text/html" in headers.get("accept", ""):
            return foreign_form_page(context_of(scope).language, self._settings.portal_url)
        return problem(NotAllowed(user_message="This form was sent from another site."))

    async def _session(self, request: Request, *, may_renew: bool) -> tuple[Access | None, Any]:
        built = portal()
        token = request.cookies.get(cookie_name(self._settings, "access"), "")
        try:
            access = built.identity.sessions.read_access_token(token)
            await built.identity.sessions.require_access(access)
            return access, None
        except NotSignedIn:
            refresh = request.cookies.get(cookie_name(self._settings, "refresh"), "")
        if not refresh or not may_renew:
            return None, None
        return await _renew(built, refresh)

    async def _past_sign_in(self, scope: Scope) -> Response | None:
        """Return the way on from the sign-in page for somebody who is signed in, None for everybody else."""
        is_sign_in = scope["path"].rstrip("/").removeprefix("/ja") == SIGN_IN and scope["method"] == "GET"
        request = Request(scope)
        if not is_sign_in or not request.cookies:
            return None
        try:
            access, renewed = await self._session(request, may_renew=True)
        except PortalError:
            # The page says what it can without a database.
            return None
        if access is None:
            return None
        prefix = "/ja" if scope["path"].startswith("/ja/") else ""
        target = path_after_sign_in(request.query_params.get("next"), prefix + HOME)
        response = RedirectResponse(target, 303, headers={"Cache-Control": "no-store"})
        for cookie in session_cookies(renewed, self._settings) if renewed else ():
            response.headers.append("set-cookie", cookie)
        return response

    def _is_ours(self, headers: Headers) -> bool:
        """Return whether a write comes from our own pages, or from a program that sends neither header."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if origin is not None:
            return origin in self._settings.allowed_origins
        return site in (None, "same-origin", "none")


async def _renew(built: Portal, refresh: str) -> tuple[Access | None, Any]:
    try:
        tokens = await built.identity.sessions.rotate(refresh)
    except NotSignedIn:
        return None, None
    return built.identity.sessions.read_access_token(tokens.access), tokens


def _is_browser(headers: Headers) -> bool:
    return "sec-fetch-site" in headers


def _to_sign_in(scope: Scope) -> Response:
    target = _address_of(scope)
    prefix = "/ja" if target.startswith("/ja/") else ""
    return RedirectResponse(f"{prefix}{SIGN_IN}?next={quote(target, safe='')}", 303)


def _address_of(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return (scope["path"].rstrip("/") or "/") + (f"?{query}" if query else "")


def _with_cookies(send: Send, tokens: Any, settings: Settings, *, is_page: bool) -> Send:
    own = f"{cookie_name(settings, 'access')}="

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message.get("headers", [])))
            brings_own = any(cookie.startswith(own) for cookie in headers.getlist("set-cookie"))
            if tokens is not None and not brings_own:
                for cookie in session_cookies(tokens, settings):
                    headers.append("set-cookie", cookie)
            if is_page:
                headers["cache-control"] = "no-store" if tokens is not None else "no-cache"
            message = {**message, "headers": headers.raw}
        await send(message)

    return sending


def account_of_token(token: str) -> str:
    """Return the account of a valid access token, an empty text for another; whether its session lives is not asked."""
    try:
        return str(portal().identity.sessions.read_access_token(token).user_id)
    except NotSignedIn:
        return ""


def session_cookies(tokens: Any, settings: Settings) -> list[str]:
    """Return the Set-Cookie values that carry a session; the access cookie leaves the jar when it expires."""
    return [
        set_cookie(settings, "access", tokens.access, settings.portal_access_seconds),
        set_cookie(settings, "refresh", tokens.refresh, settings.portal_session_seconds),
    ]


def set_cookie(settings: Settings, kind: str, value: str, seconds: int) -> str:
    """Return one Set-Cookie value: HttpOnly, Lax, host-only; zero seconds removes it."""
    secure = "; Secure" if settings.is_secure else ""
    return f"{cookie_name(settings, kind)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
