"""The contact form for people without an account: the question, then the code that was mailed to its address."""

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.request_context import context_of
from portal_app.api.http.request_parsing import Body, read
from portal_app.api.http.responses import Next, done, form_route, refused
from portal_app.api.http.session_middleware import set_cookie
from portal_app.domain.errors import NotSignedIn, PortalError
from portal_app.domain.help.contact import ContactRequest
from portal_app.infra.security.cookies import cookie_name
from portal_app.language import path_for
from portal_app.wiring.portal import portal

# A refused form comes back into view: it stands below the other ways.
PAGE, CODE, SENT = "/contact#question", "/contact/code", "/contact?sent=yes"
# Of what was typed, so much comes back where the form is refused.
_LONGEST = 4000
router = APIRouter(prefix="/api/contact", tags=["help"])


class Question(Body):
    """A question of somebody without an account."""

    name: str = Field("", max_length=1000)
    email: str = Field("", max_length=300)
    category: str = Field("", max_length=20)
    subject: str = Field("", max_length=500)
    text: str = Field("", max_length=40_000)


class Code(Body):
    """The six digits that were mailed."""

    code: str = Field(max_length=50)


@router.post("", **form_route(Next, Question))
async def begin(request: Request) -> Response:
    """Keep a question and mail a code to its address; every address gets the same answer."""
    typed: dict[str, str] = {}
    try:
        typed = (await read(request, Question)).model_dump()
        token = await portal().help.contact.begin(ContactRequest.parse(typed), context_of(request.scope).origin)
    except PortalError as error:
        return await refused(request, error, PAGE, typed=typed, longest=_LONGEST)
    settings = portal().settings
    cookie = set_cookie(settings, "contact", token, settings.portal_code_seconds)
    return done(request, path_for(CODE), cookies=[cookie])


@router.post("/verify", **form_route(Next, Code))
async def verify(request: Request) -> Response:
    """Check the code; then the question is handed to our team."""
    settings = portal().settings
    token = request.cookies.get(cookie_name(settings, "contact"), "")
    try:
        entries = await read(request, Code)
        await portal().help.contact.verify(token, entries.code, context_of(request.scope).origin)
    except PortalError as error:
        return await refused(request, error, PAGE if isinstance(error, NotSignedIn) else CODE)
    return done(request, path_for(SENT), cookies=[set_cookie(settings, "contact", "", 0)])
