"""Signing up, step by step: an e-mail, its code, the details. The sign-up's token lives in a cookie of its own."""

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.request_context import context_of
from portal_app.api.http.request_parsing import Body, read
from portal_app.api.http.responses import Next, done, form_route, refused
from portal_app.api.http.session_middleware import SIGN_IN, set_cookie
from portal_app.api.identity.sessions import admitted
from portal_app.domain.errors import Conflict, InvalidInput, NotSignedIn, PortalError
from portal_app.domain.identity.account import Purpose
from portal_app.infra.security.cookies import cookie_name
from portal_app.language import path_for
from portal_app.wiring.portal import portal

START, VERIFY, DETAILS = "/auth/signup", "/auth/verify", "/auth/details"
MOVE, BILLING_PASSWORD = "/auth/migrate", "/auth/billing-password"
_NEXT_STEPS = {
    "new": "We know no billing account with this address. Use the address your bills go to, or create an account.",
    "elsewhere": "You are our customer under another address. Use the address your bills go to, or write to us.",
}
_COOKIE_SECONDS = 3 * 3600
router = APIRouter(prefix="/api/auth/signup", tags=["sign-up"])


class Mailbox(Body):
    """The address that will sign in."""

    email: str = Field(max_length=300)


class Code(Body):
    """The six digits that were mailed."""

    code: str = Field(max_length=50)


class Details(Body):
    """The person and the address. What is missing is told by the account service, all at once."""

    first_name: str = Field("", max_length=1000)
    last_name: str = Field("", max_length=1000)
    first_name_kana: str = Field("", max_length=1000)
    last_name_kana: str = Field("", max_length=1000)
    phone: str = Field("", max_length=1000)
    postcode: str = Field("", max_length=1000)
    prefecture: str = Field("", max_length=1000)
    city: str = Field("", max_length=1000)
    town: str = Field("", max_length=1000)
    street: str = Field("", max_length=1000)
    building: str = Field("", max_length=1000)
    city_romanised: str = Field("", max_length=1000)
    town_romanised: str = Field("", max_length=1000)
    building_romanised: str = Field("", max_length=1000)
    street_romanised: str = Field("", max_length=1000)
    password: str = Field("", max_length=2000)
    terms: str = Field("", max_length=10)


@router.post("", **form_route(Next, Mailbox))
async def begin(request: Request) -> Response:
    """Mail a code to an address; the answer is the same whether or not it has an account."""
    email = ""
    try:
        email = (await read(request, Mailbox)).email
        return await mailed(request, email)
    except PortalError as error:
        return await refused(request, error, START, typed={"email": email})


@router.post("/resend", **form_route(Next))
async def resend(request: Request) -> Response:
    """Mail a new code to the same address; the old one ends."""
    try:
        progress = await portal().registration.sign_ups.progress(token_of(request))
        return await mailed(request, progress.email, purpose="move" if progress.is_migration else "sign_up")
    except PortalError as error:
        return await refused(request, error, page_of(error, VERIFY))


@router.post("/verify", **form_route(Next, Code))
async def verify(request: Request) -> Response:
    """Check the mailed code; who we know already goes on to the billing password."""
    registration, token = portal().registration, token_of(request)
    try:
        entries = await read(request, Code)
        await registration.sign_ups.verify_mailbox(token, entries.code)
        known = await registration.whmcs_migration.find_existing_account(token)
        is_migration = (await registration.sign_ups.progress(token)).is_migration
    except PortalError as error:
        return await refused(request, error, page_of(error, VERIFY))
    if known == "elsewhere" or (known == "new" and is_migration):
        return await refused(request, Conflict(user_message=_NEXT_STEPS[known], code=f"{known}_customer"), MOVE)
    return done(request, path_for(BILLING_PASSWORD if is_migration else DETAILS))


@router.post("/complete", **form_route(Next, Details))
async def complete(request: Request) -> Response:
    """Create the account and sign in; entries and their errors stay with the sign-up."""
    try:
        entries = await read(request, Details)
        outcome = await portal().registration.sign_ups.complete(
            token_of(request), entries.model_dump(), context_of(request.scope).origin
        )
    except PortalError as error:
        return await refused(request, error, page_of(error, DETAILS))
    return await admitted(request, outcome, forget=("signup",))


async def mailed(request: Request, email: str, *, purpose: Purpose = "sign_up") -> Response:
    """Mail a code and send the browser on to the page that takes it."""
    settings = portal().settings
    token = await portal().registration.sign_ups.begin(email, context_of(request.scope).origin, purpose=purpose)
    cookie = set_cookie(settings, "signup", token, _COOKIE_SECONDS)
    return done(request, path_for(VERIFY), cookies=[cookie])


def token_of(request: Request) -> str:
    """Return the token of the sign-up or move a browser is in."""
    return request.cookies.get(cookie_name(portal().settings, "signup"), "")


def page_of(error: PortalError, default: str) -> str:
    """Return the page on which an error is told."""
    if isinstance(error, InvalidInput):
        return default
    return {NotSignedIn: START, Conflict: SIGN_IN}.get(type(error), default)
