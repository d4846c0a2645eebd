"""The account that is signed in."""

from fastapi import APIRouter
from starlette.responses import Response

from portal_app.api import shapes, views
from portal_app.api.outgoing import json
from portal_app.api.signed_in import SignedIn
from portal_app.wiring import portal

router = APIRouter(prefix="/api/me", tags=["account"])


@router.get("", response_model=shapes.Me)
async def me(access: SignedIn) -> Response:
    """Return name, e-mail, customer number and status of the signed-in account."""
    account = await portal().accounts.view(access.user_id)
    return json(views.me(account.name, account.email, account.status, account.customer))
