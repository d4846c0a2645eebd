"""Files of support cases: handed out whole, as downloads alone."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from portal_app.api.http.dependencies import OurId, SignedInCustomer
from portal_app.domain.identifiers import our_id
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/cases", tags=["support"])
_KIND = "application/octet-stream"
FileId = Annotated[str, Path(json_schema_extra={"pattern": "^[a-zA-Z0-9]{18}$"})]
_CONTENT: dict[str, Any] = {"content": {_KIND: {"schema": {"type": "string", "format": "binary"}}}}


@router.get("/{case_id}/files/{file_id}", response_class=Response, responses={200: _CONTENT})
async def file(request: Request, customer: SignedInCustomer, case_id: OurId, file_id: FileId) -> Response:
    """Return a file of a case. Its kind is never told, and browsers save it instead of showing it."""
    found = await portal().support.files.download(customer, our_id(case_id), file_id)
    headers = {
        "Content-Length": str(found.size),
        "Content-Disposition": _saved_as(found.name),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }
    return StreamingResponse(found.parts, 200, headers, media_type=_KIND)


def _saved_as(name: str) -> str:
    """Return the name as browsers take it (RFC 6266), with an ASCII one for old programs."""
    plain = "".join(each if each.isascii() and each not in '"\\%;' else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
