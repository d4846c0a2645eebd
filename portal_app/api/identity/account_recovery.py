"""Account recovery: forgotten passwords and locked accounts. Tokens come in a link's fragment and are sent by POST."""

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.request_context import context_of
from portal_app.api.http.request_parsing import Body, read
from portal_app.api.http.responses import Next, NextWithDetail, form_route, refused, sent_on
from portal_app.api.http.session_middleware import SIGN_IN, set_cookie
from portal_app.api.identity.sessions import admitted
from portal_app.domain.errors import Conflict, InvalidInput, NotSignedIn, PortalError
from portal_app.infra.security.cookies import cookie_name
from portal_app.language.format import Duration
from portal_app.language.phrase import Phrase
from portal_app.wiring.portal import portal

FORGOT, SET_PASSWORD = "/auth/forgot", "/auth/set-password"
_SENT = "If this address has an account, the mail with the link is on its way. It works for {validity}."
_CHANGED = "Your password is changed. Sign in with it."
_LIFTED = "You can try again in this browser now."
_KEY_SECONDS = 86400
router = APIRouter(prefix="/api/auth", tags=["auth"])


class Forgotten(Body):
    """The address whose password is forgotten."""

    email: str = Field(max_length=300)


class NewPassword(Body):
    """A new password, and the token of the mailed link; a form refused before carries it in its cookie."""

    password: str = Field("", max_length=2000)
    token: str = Field("", max_length=200)


class Unlock(Body):
    """The token of the mailed link."""

    token: str = Field("", max_length=200)


@router.post("/forgot", **form_route(NextWithDetail, Forgotten))
async def forgot(request: Request) -> Response:
    """Mail a link for a new password; the answer is the same whether or not the address has an account."""
    email = ""
    try:
        email = (await read(request, Forgotten)).email
        await portal().identity.password_changes.request_reset(email, context_of(request.scope).origin)
    except PortalError as error:
        return await refused(request, error, FORGOT, typed={"email": email})
    words = Phrase(_SENT, validity=Duration(portal().settings.portal_reset_seconds))
    return await sent_on(request, FORGOT, words)


@router.post("/set-password", **form_route(Next, NewPassword))
async def set_password(request: Request) -> Response:
    """Set a new password: by a mailed token, or at the end of a move, which then signs in.

    A mailed token signs nobody in: a second factor is still asked.
    """
    try:
        entries = await read(request, NewPassword)
    except PortalError as error:
        return await refused(request, error, SET_PASSWORD)
    moving = request.cookies.get(cookie_name(portal().settings, "signup"), "")
    if not entries.token and moving and await portal().registration.whmcs_migration.is_ready(moving):
        return await _move_in(request, moving, entries.password)
    return await _reset(request, entries)


async def _reset(request: Request, entries: NewPassword) -> Response:
    settings = portal().settings
    token = entries.token or request.cookies.get(cookie_name(settings, "reset"), "")
    try:
        await portal().identity.password_changes.reset(token, entries.password)
    except InvalidInput as error:
        # The page has lost the fragment: the next attempt finds the token in a cookie.
        keep = set_cookie(settings, "reset", token, settings.portal_reset_seconds)
        return await refused(request, error, SET_PASSWORD, cookies=[keep])
    except PortalError as error:
        return await refused(request, error, FORGOT if isinstance(error, NotSignedIn) else SET_PASSWORD)
    return await sent_on(request, SIGN_IN, _CHANGED, cookies=[set_cookie(settings, "reset", "", 0)])


async def _move_in(request: Request, token: str, password: str) -> Response:
    migration = portal().registration.whmcs_migration
    try:
        outcome = await migration.complete(token, password, context_of(request.scope).origin)
    except PortalError as error:
        return await refused(request, error, SIGN_IN if isinstance(error, Conflict) else SET_PASSWORD)
    return await admitted(request, outcome, forget=("signup",))


@router.post("/unlock", **form_route(NextWithDetail, Unlock))
async def unlock(request: Request) -> Response:
    """Lift the lock of an account for this browser; password and second factor are still asked."""
    try:
        entries = await read(request, Unlock)
        key = await portal().identity.lockout.unlock(entries.token)
    except PortalError as error:
        return await refused(request, error, SIGN_IN)
    cookie = set_cookie(portal().settings, "unlock", key, _KEY_SECONDS)
    return await sent_on(request, SIGN_IN, _LIFTED, cookies=[cookie])
