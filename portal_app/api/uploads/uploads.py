"""Files that customers send, by tus 1.0.0: a program resumes a file where its line was lost."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import OurId, SignedIn, SignedInCustomer
from portal_app.api.http.problem import UnknownFormat
from portal_app.api.http.responses import CREATED, json
from portal_app.api.uploads import schemas, tus
from portal_app.domain.errors import PortalError
from portal_app.domain.idempotency import Call, Claim
from portal_app.domain.identifiers import our_id
from portal_app.domain.uploads.upload import LONGEST_KEY, TooLargeUpload
from portal_app.language.phrase import Phrase
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/uploads", tags=["uploads"])
_EXTENSIONS = "creation,termination,expiration"
_BEGIN = "POST /api/uploads"
_PIECE: dict[str, Any] = {
    "requestBody": {"content": {tus.PIECE: {"schema": {"type": "string", "format": "binary"}}}},
}


def _told(*names: str) -> dict[str, Any]:
    """Return what OpenAPI is told of the protocol's headers. Without the first one the answer is 412."""
    told = ("Tus-Resumable", *names)
    return {"parameters": [{"name": name, "in": "header", "schema": {"type": "string"}} for name in told]}


@router.options("", status_code=204)
async def options() -> Response:
    """Tell version, extensions and the largest file."""
    limits = portal().uploads.uploads.limits
    told = {"Tus-Version": tus.VERSION, "Tus-Extension": _EXTENSIONS, "Tus-Max-Size": str(limits.file_bytes)}
    return Response(None, 204, {**tus.RESUMABLE, **told})


@router.get("", response_model=schemas.UploadList)
async def listed(access: SignedIn, draft: str = Query("", max_length=LONGEST_KEY)) -> Response:
    """Return the files of what is typed and not sent: for a case by its id, or for a `new` one."""
    found = await portal().uploads.uploads.of_draft(access.user_id, draft)
    return json(schemas.UploadList(schemas.UploadView.list_of(found)))


@router.post("", status_code=201, response_class=Response, responses=CREATED, openapi_extra=_told("Upload-Length"))
async def begin(
    request: Request,
    customer: SignedInCustomer,
    idempotency_key: Annotated[str | None, Header(description="Optional: begins one upload however often sent")] = None,
) -> Response:
    """Begin an upload of Upload-Length bytes. Upload-Metadata: `filename`, and `draft` for what it will be part of."""
    uploads = portal().uploads.uploads
    try:
        tus.require_version(request)
        size, told = tus.length_of(request), tus.metadata_of(request)
        name, draft = told.get("filename") or told.get("name", ""), told.get("draft", "")

        async def take(claim: Claim | None = None) -> str:
            return await uploads.begin(customer.user_id, name=name, size=size, draft=draft, claim=claim)

        if idempotency_key is None:
            begun = await take()
        else:
            call = Call(customer.user_id, _BEGIN, idempotency_key, f"{size}\n{draft}\n{name}")
            begun = await portal().idempotency.once_shared(call, take, status=201)
        upload = await uploads.upload(customer.user_id, our_id(begun))
    except PortalError as error:
        return tus.refused(error)
    headers = {"Location": f"/api/uploads/{begun}", "Cache-Control": "no-store", **tus.expiry_of(upload.expires_at)}
    return Response(None, 201, {**tus.RESUMABLE, **headers})


@router.head("/{upload_id}", response_class=Response, openapi_extra=_told())
async def state(request: Request, access: SignedIn, upload_id: OurId) -> Response:
    """Tell how far an upload is."""
    try:
        known = our_id(upload_id)
        tus.require_version(request)
        upload = await portal().uploads.uploads.upload(access.user_id, known)
    except PortalError as error:
        return tus.refused(error)
    return Response(None, 200, tus.state_of(upload))


@router.patch("/{upload_id}", status_code=204, openapi_extra=_told("Upload-Offset") | _PIECE)
async def piece(request: Request, customer: SignedInCustomer, upload_id: OurId) -> Response:
    """Take the bytes that follow Upload-Offset. 409 with the right offset, 423 while another piece arrives."""
    try:
        known = our_id(upload_id)
        tus.require_version(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != tus.PIECE:
            raise UnknownFormat(user_message=Phrase("Send the body as {kind}.", kind=tus.PIECE))
        upload = await portal().uploads.uploads.upload(customer.user_id, known)
        told = request.headers.get("content-length", "")
        if told.isdecimal() and int(told[:20]) > upload.size:
            raise TooLargeUpload(upload.size)
        taken = await portal().uploads.receiving.receive(
            customer.user_id, upload.id, offset=tus.offset_of(request), piece=request.stream()
        )
    except PortalError as error:
        return tus.refused(error)
    return Response(None, 204, tus.state_of(taken))


@router.delete("/{upload_id}", status_code=204, openapi_extra=_told())
async def remove(request: Request, customer: SignedInCustomer, upload_id: OurId) -> Response:
    """Take an upload away, with its bytes. 409 once it is part of a message."""
    try:
        known = our_id(upload_id)
        tus.require_version(request)
        await portal().uploads.uploads.remove(customer.user_id, known)
    except PortalError as error:
        return tus.refused(error)
    return Response(None, 204, tus.RESUMABLE)


@router.post("/{upload_id}", status_code=204, openapi_extra=_told("Upload-Offset") | _PIECE)
async def overridden(
    request: Request,
    customer: SignedInCustomer,
    upload_id: OurId,
    method: Annotated[str, Header(alias="X-HTTP-Method-Override", description="PATCH or DELETE")],
) -> Response:
    """Do what X-HTTP-Method-Override says, for clients whose network lets only GET and POST through."""
    if method.upper() == "DELETE":
        return await remove(request, customer, upload_id)
    return await piece(request, customer, upload_id)
