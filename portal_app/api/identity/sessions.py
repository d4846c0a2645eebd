"""Signing in, staying signed in, signing out. Credentials come by native form or JSON, tokens only in cookies."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.request_context import context_of, language_of
from portal_app.api.http.request_parsing import Body, read
from portal_app.api.http.resource import Resource
from portal_app.api.http.responses import Next, done, form_route, json, refused, with_cookies
from portal_app.api.http.session_middleware import HOME, SIGN_IN, session_cookies, set_cookie
from portal_app.domain.errors import NotSignedIn, PortalError
from portal_app.domain.identity.account import MfaRequired, Tokens
from portal_app.domain.local_path import local_path
from portal_app.infra.security.cookies import cookie_name
from portal_app.infra.security.known_devices import KNOWN_SECONDS
from portal_app.infra.security.tokens import Access
from portal_app.language import path_for
from portal_app.wiring.portal import portal

SECOND_STEP = "/auth/second-step"
_DEVICE_SECONDS = 400 * 86400
router = APIRouter(prefix="/api/auth", tags=["auth"])


class SignIn(Body):
    """E-mail and password, and the page to go on to."""

    email: str = Field(max_length=300)
    password: str = Field(max_length=2000)
    next: str = Field("", max_length=2000)


@dataclass
class Renewed(Resource):
    """Seconds until the new access cookie ends."""

    expires_in: int


@router.post("/login", **form_route(Next, SignIn))
async def login(request: Request) -> Response:
    """Sign in: session cookies, and on to `next` or the dashboard."""
    entries: SignIn | None = None
    try:
        entries = await read(request, SignIn)
        settings = portal().settings
        outcome = await portal().identity.sign_in.with_password(
            entries.email,
            entries.password,
            context_of(request.scope).origin,
            browser_key=request.cookies.get(cookie_name(settings, "unlock"), ""),
        )
    except PortalError as error:
        if entries is None:
            return await refused(request, error, SIGN_IN)
        onward = way_on(request, entries.next)
        return await refused(request, error, SIGN_IN, typed={"email": entries.email}, next_path=onward)
    return await admitted(request, outcome, way_on(request, entries.next))


@router.post("/logout", **form_route(Next))
async def logout(request: Request) -> Response:
    """Sign out everywhere this session is open."""
    await _end_current(request)
    return _gone(request)


@router.post("/logout-everywhere", **form_route(Next))
async def logout_everywhere(request: Request) -> Response:
    """Sign out on every device of the account."""
    current = await _current(request)
    if current is None:
        raise NotSignedIn("no live session")
    await portal().identity.sessions.end_all(current.user_id, because="signed out everywhere")
    return _gone(request)


@router.post("/refresh", response_model=Renewed)
async def refresh(request: Request) -> Response:
    """Exchange the refresh cookie for new session cookies."""
    settings = portal().settings
    token = request.cookies.get(cookie_name(settings, "refresh"), "")
    if not token:
        raise NotSignedIn("no refresh cookie")
    tokens = await portal().identity.sessions.rotate(token)
    return with_cookies(json(Renewed(settings.portal_access_seconds)), session_cookies(tokens, settings))


async def admitted(
    request: Request, outcome: Tokens | MfaRequired, target: str = "", *, forget: tuple[str, ...] = ()
) -> Response:
    """Answer a proven password: a session and on to a page of ours, or on to the second step.

    The session that the browser brought along ends when the new one begins. `forget` names cookies to remove.
    """
    settings = portal().settings
    gone = [set_cookie(settings, kind, "", 0) for kind in forget]
    if isinstance(outcome, MfaRequired):
        pending = set_cookie(settings, "second", outcome.token, settings.portal_second_step_seconds)
        onward = f"?{urlencode({'next': target})}" if target else ""
        page = path_for(SECOND_STEP, language_of(target))
        return done(request, f"{page}{onward}", cookies=[pending, *gone])
    await _end_current(request)
    device = set_cookie(settings, "device", context_of(request.scope).origin.device, _DEVICE_SECONDS)
    known = set_cookie(settings, "known", outcome.known, KNOWN_SECONDS)
    cookies = [*session_cookies(outcome, settings), device, known, *gone]
    return done(request, target or path_for(HOME), cookies=cookies)


def way_on(request: Request, said: str) -> str:
    """Return the page of ours to go on to, empty for none: what the form says, or else the address of its page.

    A form that is sent before its page has heard from us says nothing yet.
    """
    asked = said or parse_qs(context_of(request.scope).page.query).get("next", [""])[0]
    return local_path(asked, "")


def _gone(request: Request) -> Response:
    settings = portal().settings
    cookies = [set_cookie(settings, kind, "", 0) for kind in ("access", "refresh")]
    response = done(request, path_for(SIGN_IN), cookies=cookies)
    # Also the pages that "back" would show. Storage holds nothing of a customer, only the chosen colour scheme.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


async def _end_current(request: Request) -> None:
    if (current := await _current(request)) is not None:
        await portal().identity.sessions.end(current.session_id)


async def _current(request: Request) -> Access | Tokens | None:
    """Return the session a browser brings along, also when only its refresh token still lives."""
    if (access := context_of(request.scope).access) is not None:
        return access
    token = request.cookies.get(cookie_name(portal().settings, "refresh"), "")
    try:
        return await portal().identity.sessions.rotate(token) if token else None
    except NotSignedIn:
        return None
