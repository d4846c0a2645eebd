"""The second step of a sign-in, and sign-in with a passkey alone. A cookie holds the token of the pending sign-in."""

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.request_context import context_of
from portal_app.api.http.request_parsing import Body, read
from portal_app.api.http.responses import Next, form_route, json, refused
from portal_app.api.http.session_middleware import SIGN_IN
from portal_app.api.identity.schemas import PasskeyOptions
from portal_app.api.identity.sessions import SECOND_STEP, admitted, way_on
from portal_app.api.identity.step_up import LARGEST_CREDENTIAL
from portal_app.domain.errors import InvalidInput, NotSignedIn, PortalError
from portal_app.domain.identity.account import Proof
from portal_app.infra.security.cookies import cookie_name
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/auth", tags=["auth"])


class Step(Body):
    """A code of the app or a recovery code, or a passkey's answer as JSON text; and the page to go on to."""

    code: str = Field("", max_length=50)
    passkey: str = Field("", max_length=LARGEST_CREDENTIAL)
    next: str = Field("", max_length=2000)


class PasskeySignIn(Body):
    """A passkey's answer as JSON text, and the page to go on to."""

    passkey: str = Field(max_length=LARGEST_CREDENTIAL)
    next: str = Field("", max_length=2000)


@router.post("/second-step", **form_route(Next, Step))
async def second_step(request: Request) -> Response:
    """Check the second step: session cookies, and on to `next` or the dashboard."""
    onward = ""
    try:
        entries = await read(request, Step)
        onward = way_on(request, entries.next)
        proof = Proof(code=entries.code, passkey=entries.passkey)
        tokens = await portal().identity.mfa_challenge.complete(
            _token(request), proof, context_of(request.scope).origin
        )
    except NotSignedIn as error:
        return await refused(request, error, SIGN_IN, next_path=onward)
    except PortalError as error:
        return await refused(request, error, SECOND_STEP, next_path=onward)
    return await admitted(request, tokens, onward, forget=("second",))


@router.post("/second-step/passkey-options", response_model=PasskeyOptions)
async def second_step_options(request: Request) -> Response:
    """Return what the browser needs to ask for a passkey of the account that signs in."""
    return json(await portal().identity.mfa_challenge.passkey_options(_token(request)))


@router.post("/passkey/options", response_model=PasskeyOptions)
async def passkey_options(request: Request) -> Response:
    """Return what the browser needs to ask for any passkey of this portal."""
    return json(await portal().identity.mfa_challenge.sign_in_options(context_of(request.scope).origin))


@router.post("/passkey", **form_route(Next, PasskeySignIn))
async def passkey_sign_in(request: Request) -> Response:
    """Sign in with a passkey: session cookies, and on to `next` or the dashboard."""
    try:
        entries = await read(request, PasskeySignIn)
        who = context_of(request.scope).origin
        tokens = await portal().identity.mfa_challenge.sign_in_with_passkey(entries.passkey, who)
    except (NotSignedIn, InvalidInput) as error:
        return await refused(request, error, SIGN_IN)
    return await admitted(request, tokens, way_on(request, entries.next))


def _token(request: Request) -> str:
    return request.cookies.get(cookie_name(portal().settings, "second"), "")
