"""Migration of an existing customer: the mailbox, the WHMCS password, then a new password (see `account_recovery`)."""

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.request_context import context_of
from portal_app.api.http.request_parsing import Body, read
from portal_app.api.http.responses import Next, done, form_route, refused
from portal_app.api.http.session_middleware import SIGN_IN
from portal_app.api.identity.account_recovery import SET_PASSWORD
from portal_app.api.registration.sign_up import BILLING_PASSWORD, MOVE, VERIFY, Mailbox, mailed, page_of, token_of
from portal_app.domain.errors import Conflict, PortalError
from portal_app.language import path_for
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/auth/migrate", tags=["migrate"])


class BillingPassword(Body):
    """The password of the WHMCS account."""

    password: str = Field("", max_length=2000)


@router.post("", **form_route(Next, Mailbox))
async def begin(request: Request) -> Response:
    """Mail a code to an address; the answer is the same whether or not anybody knows it."""
    email = ""
    try:
        email = (await read(request, Mailbox)).email
        return await mailed(request, email, purpose="move")
    except PortalError as error:
        return await refused(request, error, MOVE, typed={"email": email})


@router.post("/password", **form_route(Next, BillingPassword))
async def prove_password(request: Request) -> Response:
    """Check the WHMCS password of the proven mailbox; the next step is a new password."""
    try:
        entries = await read(request, BillingPassword)
        await portal().registration.whmcs_migration.verify_whmcs_password(
            token_of(request), entries.password, context_of(request.scope).origin
        )
    except Conflict as error:
        return await refused(request, error, VERIFY if error.code == "mailbox_again" else SIGN_IN)
    except PortalError as error:
        return await refused(request, error, page_of(error, BILLING_PASSWORD))
    return done(request, path_for(SET_PASSWORD))
