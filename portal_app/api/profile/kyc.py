"""The identity document for voice lines: uploaded as a file, never returned."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import SignedInCustomer
from portal_app.api.http.problem import BadRequest, TooLarge, UnknownFormat
from portal_app.api.http.responses import form_route, json, refused, see_other
from portal_app.api.profile import schemas
from portal_app.domain.errors import InvalidInput, PortalError
from portal_app.domain.local_path import local_path
from portal_app.language import path_for
from portal_app.wiring.portal import portal

PAGE, FIELD = "/account/verification", "document"
LARGEST_FILE = 5 * 1024 * 1024
# The form around the file: its boundaries and name.
_LARGEST_BODY = LARGEST_FILE + 16 * 1024
_TOO_LARGE = "Choose a file of at most 5 MB."
_TAKES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
router = APIRouter(prefix="/api/me/identity-document", tags=["account"])


@router.get("", response_model=schemas.IdentityCheckView)
async def check(customer: SignedInCustomer) -> Response:
    """Return how the check of the customer's identity stands."""
    return json(schemas.IdentityCheckView.from_domain(await portal().profile.kyc_documents.check_for(customer)))


@router.post("", status_code=202, **{**form_route(schemas.IdentityCheckView), "openapi_extra": _TAKES})
async def submit(
    request: Request,
    customer: SignedInCustomer,
    onward: Annotated[str, Query(alias="next", description="The page of ours that a form goes on to")] = "",
) -> Response:
    """Take a JPG, PNG or PDF of at most 5 MB; the same file again changes nothing. It goes to our team by itself."""
    # Not a field: where a file is too large, nothing of the form is read.
    is_page, target = "text/html" in request.headers.get("accept", ""), local_path(onward, "")
    try:
        await portal().profile.kyc_documents.count_upload(customer)
        name, content = await _read(request)
        found = await portal().profile.kyc_documents.submit(customer, content, name=name)
    except PortalError as error:
        if not is_page:
            raise
        if isinstance(error, TooLarge):
            error = InvalidInput({FIELD: _TOO_LARGE})
        return await refused(request, error, PAGE, next_path=target)
    if is_page:
        return see_other(target or path_for(PAGE))
    return json(schemas.IdentityCheckView.from_domain(found), 202)


async def _read(request: Request) -> tuple[str, bytes]:
    """Return name and content of the file."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnknownFormat(user_message="Send a form with a file (multipart/form-data).")
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told[:20]) > _LARGEST_BODY:
        raise TooLarge(user_message=_TOO_LARGE)
    parser = MultiPartParser(request.headers, _within_limit(request), max_files=1, max_fields=5)
    # Kept in memory: a document must not lie on a disk in the clear.
    parser.spool_max_size = _LARGEST_BODY
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise BadRequest("malformed form") from error
    file = form.get(FIELD)
    if not isinstance(file, UploadFile):
        raise InvalidInput({FIELD: "Choose a file."})
    content = await file.read()
    await form.close()
    if len(content) > LARGEST_FILE:
        raise TooLarge(user_message=_TOO_LARGE)
    return file.filename or "", content


async def _within_limit(request: Request) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _LARGEST_BODY:
            raise TooLarge(user_message=_TOO_LARGE)
        yield chunk
