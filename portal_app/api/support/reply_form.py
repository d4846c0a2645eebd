"""A reply with one small file as a native form: for browsers and networks in which uploads in pieces do not work."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import OurId, SignedInCustomer
from portal_app.api.http.idempotency import FIELD
from portal_app.api.http.problem import BadRequest
from portal_app.api.http.request_parsing import wants_json
from portal_app.api.http.responses import refused, see_other
from portal_app.api.uploads.file_form import FileField, FileForm, file_form
from portal_app.domain.errors import InvalidInput, PortalError, SecretsFound
from portal_app.domain.idempotency import Call, Claim
from portal_app.domain.identifiers import our_id
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.message import LONGEST_REPLY_BYTES, parse_reply
from portal_app.domain.support.secrets import refuse_secrets
from portal_app.domain.uploads.upload import MEGABYTE, TooLargeUpload
from portal_app.language import path_for
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/cases", tags=["support"])
_FILE, _LARGEST = "file", 2 * MEGABYTE
_CONFIRM = "confirm_secrets"
_REPLY = "POST /api/cases/{case_id}/reply-form"
_TAKES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["text", FIELD],
                    "properties": {
                        "text": {"type": "string"},
                        FIELD: {"type": "string"},
                        _FILE: {"type": "string", "format": "binary"},
                        _CONFIRM: {"type": "string"},
                    },
                }
            }
        },
    }
}


@router.post("/{case_id}/reply-form", status_code=303, response_class=Response, openapi_extra=_TAKES)
async def reply_by_form(request: Request, customer: SignedInCustomer, case_id: OurId) -> Response:
    """Write a message with at most one file of 2 MB, and go back to the conversation."""
    known = our_id(case_id)
    typed: dict[str, str] = {}
    page = f"/support/cases/{known}"
    try:
        async with file_form(request, customer.user_id, FileField(_FILE, str(known), _LARGEST)) as form:
            typed = {"text": form.fields.get("text", "")}
            await _reply(customer, known, form)
    except PortalError as error:
        told: PortalError = error
        if isinstance(error, TooLargeUpload):
            told = InvalidInput({_FILE: error.user_message})
        elif isinstance(error, SecretsFound) and not wants_json(request):
            # The form asks at a tick of its own whether to send the text all the same.
            told = InvalidInput({_CONFIRM: error.user_message})
        return await refused(request, told, page, typed=typed, longest=LONGEST_REPLY_BYTES)
    return see_other(path_for(page))


async def _reply(customer: Customer, case_id: UUID, form: FileForm) -> None:
    text, key = parse_reply(form.fields.get("text", "")), form.fields.get(FIELD, "")
    refuse_secrets(text, confirmed=bool(form.fields.get(_CONFIRM)))
    if not key:
        raise BadRequest("no key", code="idempotency_key_missing")
    built = portal()
    uploads, digest = ([form.file.upload_id], form.file.sha256) if form.file else ([], "")

    async def take(claim: Claim) -> str:
        return await built.support.conversation.reply(customer, case_id, text, claim=claim, uploads=uploads)

    call = Call(customer.user_id, _REPLY, key, f"{case_id}\n{digest}\n{text}")
    await built.idempotency.once_shared(call, take, status=303)
