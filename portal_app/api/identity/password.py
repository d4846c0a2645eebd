"""Changing the password of the account that is signed in."""

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import SignedIn
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.request_parsing import Body, read
from portal_app.api.http.responses import NextWithDetail, form_route, refused, sent_on
from portal_app.domain.errors import PortalError
from portal_app.wiring.portal import portal

PAGE = "/account/password"
_CHANGED = "Your password is changed. Your other devices are signed out."
router = APIRouter(prefix="/api/me/password", tags=["account"])


class PasswordChange(Body):
    """The present password and the new one."""

    present: str = Field("", max_length=2000)
    password: str = Field("", max_length=2000)


@router.post("", **form_route(NextWithDetail, PasswordChange))
async def change_password(request: Request, access: SignedIn, once: IdempotentCallDependency) -> Response:
    """Change the password; every other session ends, this one stays."""
    try:
        entries = await read(request, PasswordChange)
        changes, who = portal().identity.password_changes, (access.user_id, access.session_id)
        await once(entries, lambda: changes.change(*who, entries.present, password=entries.password))
    except PortalError as error:
        return await refused(request, error, PAGE)
    return await sent_on(request, PAGE, _CHANGED)
