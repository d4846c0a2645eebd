"""A conversation as a file of the customer's own: everything that both sides said, and nothing of ours."""

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from portal_app.api.http.dependencies import OurId, SignedInCustomer
from portal_app.api.http.responses import body_of
from portal_app.api.support import schemas
from portal_app.domain.identifiers import our_id
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/cases", tags=["support"])
# More entries than a case has.
_MOST = 100_000


@router.get("/{case_id}/conversation", response_model=schemas.ConversationCopy)
async def conversation_copy(customer: SignedInCustomer, case_id: OurId) -> Response:
    """Return the whole conversation of a case as a file to keep."""
    thread = await portal().support.cases.thread(customer, our_id(case_id), most=_MOST)
    copy = orjson.loads(body_of(schemas.ConversationCopy.of_thread(thread)))
    name = f"case-{thread.case.number or thread.case.id}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    # People read it too.
    return Response(orjson.dumps(copy, option=orjson.OPT_INDENT_2), 200, headers, media_type="application/json")
