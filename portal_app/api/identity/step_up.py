"""Step-up: a fresh proof before a risky change, answered with new cookies of the same session."""

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import SignedIn
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.request_parsing import Body, read
from portal_app.api.http.responses import Next, done, form_route, json, refused
from portal_app.api.http.session_middleware import session_cookies
from portal_app.api.identity.schemas import PasskeyOptions
from portal_app.domain.errors import PortalError
from portal_app.domain.identity.account import Proof
from portal_app.domain.local_path import local_path
from portal_app.infra.security.cookies import cookie_name
from portal_app.language import path_for
from portal_app.wiring.portal import portal

SECURITY = "/account/security"
LARGEST_CREDENTIAL = 20_000
router = APIRouter(prefix="/api/me/step-up", tags=["security"])


class Confirmation(Body):
    """One proof: the password, a code of the app or a recovery code, or a passkey's answer as JSON text."""

    password: str = Field("", max_length=2000)
    code: str = Field("", max_length=50)
    passkey: str = Field("", max_length=LARGEST_CREDENTIAL)
    next: str = Field("", max_length=2000)


@router.post("", **form_route(Next, Confirmation))
async def confirm(request: Request, access: SignedIn, once: IdempotentCallDependency) -> Response:
    """Check the proof; for some minutes, changes that were refused with `step_up_needed` are accepted."""
    settings, cookies = portal().settings, list[str]()
    refresh = request.cookies.get(cookie_name(settings, "refresh"), "")
    try:
        entries = await read(request, Confirmation)
        proof = Proof(password=entries.password, code=entries.code, passkey=entries.passkey)

        async def do() -> None:
            who = access.user_id, access.session_id
            cookies.extend(
                session_cookies(await portal().identity.step_up.confirm(*who, proof, refresh_token=refresh), settings)
            )

        await once(entries, do)
    except PortalError as error:
        return await refused(request, error, SECURITY)
    target = local_path(entries.next, path_for(SECURITY))
    # A repeated call sets no cookies: the session has its time of proof and its tokens already.
    return done(request, target, cookies=cookies)


@router.post("/passkey-options", response_model=PasskeyOptions)
async def passkey_options(access: SignedIn) -> Response:
    """Return what the browser needs to ask for one of the account's passkeys."""
    return json(await portal().identity.step_up.passkey_options(access.user_id))
