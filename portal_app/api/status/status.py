"""Being told when something is over: by a form of the status page, for signed-in customers."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import OurId, signed_in
from portal_app.api.http.request_parsing import wants_json
from portal_app.api.http.responses import Next, done, form_route, see_other
from portal_app.api.http.session_middleware import SIGN_IN
from portal_app.domain.errors import NotFound, NotSignedIn
from portal_app.domain.identifiers import our_id
from portal_app.language import path_for
from portal_app.wiring.portal import portal

_PAGE = "/status"
router = APIRouter(prefix="/api/status", tags=["status"])


@router.post("/{announcement_id}/follow", **form_route(Next))
async def follow(request: Request, announcement_id: OurId) -> Response:
    """Tell the customer once by mail when this is over. 404 for what is over already."""
    return await _change(request, announcement_id, follows=True)


@router.post("/{announcement_id}/unfollow", **form_route(Next))
async def unfollow(request: Request, announcement_id: OurId) -> Response:
    """Take that back."""
    return await _change(request, announcement_id, follows=False)


async def _change(request: Request, announcement_id: OurId, *, follows: bool) -> Response:
    try:
        access = await signed_in(request)
    except NotSignedIn:
        if wants_json(request):
            raise
        # A form of the page, which looks the same for everybody: whether somebody is signed in is seen only here.
        return see_other(f"{path_for(SIGN_IN)}?next={path_for(_PAGE)}")
    announcements = portal().status.announcements
    try:
        change = announcements.follow if follows else announcements.unfollow
        await change(access.user_id, our_id(announcement_id))
    except NotFound:
        if wants_json(request):
            raise
        # It was over a moment ago: the page says so.
        return see_other(path_for(_PAGE))
    return done(request, f"{path_for(_PAGE)}?followed={'yes' if follows else 'no'}")
