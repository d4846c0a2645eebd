"""The identity document for voice lines: sent as an upload or in a form, never returned."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import SignedInCustomer
from portal_app.api.http.problem import TooLarge
from portal_app.api.http.request_parsing import Body, is_multipart, read, takes, wants_json
from portal_app.api.http.responses import form_route, json, refused, see_other
from portal_app.api.profile import schemas
from portal_app.api.uploads.file_form import FileField, file_form
from portal_app.domain.errors import InvalidInput, PortalError
from portal_app.domain.identifiers import our_id
from portal_app.domain.local_path import local_path
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.kyc_document import IdentityCheck
from portal_app.domain.uploads.upload import DOCUMENT_DRAFT, MEGABYTE, TooLargeUpload
from portal_app.language import path_for
from portal_app.wiring.portal import portal

PAGE, FIELD = "/account/verification", "document"
# Of a form; an upload in pieces may be as large as any file.
_FILE = FileField(FIELD, DOCUMENT_DRAFT, 5 * MEGABYTE)
router = APIRouter(prefix="/api/me/identity-document", tags=["account"])


class Submission(Body):
    """An upload of the draft `identity-document`; a page also says whether a file has not arrived."""

    upload: str = ""
    upload_waiting: str = ""


def _body() -> dict[str, Any]:
    """Return what OpenAPI is told of the body: an upload, or a form with a file."""
    told = takes(Submission)
    file = {"type": "object", "required": [FIELD], "properties": {FIELD: {"type": "string", "format": "binary"}}}
    told["requestBody"]["content"]["multipart/form-data"] = {"schema": file}
    told["requestBody"]["required"] = True
    return told


@router.get("", response_model=schemas.IdentityCheckView)
async def check(customer: SignedInCustomer) -> Response:
    """Return how the check of the customer's identity stands."""
    return json(schemas.IdentityCheckView.from_domain(await portal().profile.kyc_documents.check_for(customer)))


@router.post("", status_code=202, **{**form_route(schemas.IdentityCheckView), "openapi_extra": _body()})
async def submit(
    request: Request,
    customer: SignedInCustomer,
    onward: Annotated[str, Query(alias="next", description="The page of ours that a form goes on to")] = "",
) -> Response:
    """Send an upload (JPG, PNG or PDF) to our team; the same again changes nothing. A form may bring 5 MB itself."""
    # Not a field: where a file is too large, nothing of the form is read.
    target = local_path(onward, "")
    try:
        await portal().profile.kyc_documents.count_upload(customer)
        found = await (_from_form(request, customer) if is_multipart(request) else _from_upload(request, customer))
    except PortalError as error:
        told: PortalError = error
        if isinstance(error, TooLarge | TooLargeUpload) and not wants_json(request):
            told = InvalidInput({FIELD: error.user_message})
        return await refused(request, told, PAGE, next_path=target)
    if wants_json(request):
        return json(schemas.IdentityCheckView.from_domain(found), 202)
    # A page after a form is always fetched by GET: the way back posts nothing again.
    return see_other(target or path_for(PAGE))


async def _from_upload(request: Request, customer: Customer) -> IdentityCheck:
    given = await read(request, Submission)
    if given.upload_waiting:
        raise InvalidInput({FIELD: "Wait until your files have arrived, or remove those that cannot be sent."})
    if not given.upload:
        raise InvalidInput({FIELD: "Choose a file."})
    # A page tells all that arrived, also in another tab; the last one counts.
    return await portal().profile.kyc_documents.submit(customer, our_id(given.upload.rpartition(",")[2]))


async def _from_form(request: Request, customer: Customer) -> IdentityCheck:
    async with file_form(request, customer.user_id, _FILE) as form:
        if form.file is None:
            raise InvalidInput({FIELD: "Choose a file."})
        return await portal().profile.kyc_documents.submit(customer, form.file.upload_id, sha256=form.file.sha256)
