"""Signed events of vendors: verified, stored once and acknowledged."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.problem import UnknownFormat
from portal_app.api.http.request_parsing import is_json, raw_body
from portal_app.api.http.resource import Resource
from portal_app.api.http.responses import json
from portal_app.domain.errors import NotAllowed, NotFound, NotSignedIn
from portal_app.infra.clock import accepted_timestamps
from portal_app.infra.log.rare_log import log_rarely
from portal_app.wiring.portal import portal
from portal_app.wiring.webhooks import HOOKS, parse_webhook_secrets, verify_webhook

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])
_SIGNED_BY = ("Key", "Timestamp", "Delivery", "Signature")
_TAKES: dict[str, Any] = {
    "parameters": [
        {"name": f"X-WHMCS-{name}", "in": "header", "required": True, "schema": {"type": "string"}}
        for name in _SIGNED_BY
    ],
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
}


@dataclass
class Taken(Resource):
    """What became of an event: accepted, known or ignored."""

    result: str


@router.post("/whmcs", status_code=202, response_model=Taken, responses={200: {"model": Taken}}, openapi_extra=_TAKES)
async def whmcs(request: Request) -> Response:
    """Take one event of the WHMCS bridge: 202 when it is new, 200 when it is known or of no interest."""
    secrets = parse_webhook_secrets(portal().settings.whmcs_webhook_secrets.get_secret_value())
    if not secrets:
        log_rarely("webhook.refused", "WHMCS_WEBHOOK_SECRETS is empty", vendor="whmcs")
        raise NotFound("webhook is off")
    body = await raw_body(request)
    try:
        event = verify_webhook(dict(request.headers), body, secrets=secrets, now=accepted_timestamps())
    except NotAllowed as error:
        log_rarely("webhook.refused", str(error), vendor="whmcs", key=request.headers.get("x-whmcs-key", ""))
        raise NotSignedIn(str(error), user_message="The signature or its time is wrong.", code="unsigned") from error
    if not is_json(request):
        raise UnknownFormat(user_message="Send JSON.")
    if event.kind not in HOOKS:
        return json(Taken("ignored"))
    is_new = await portal().inbound.inbox.accept(event)
    return json(Taken("accepted"), 202) if is_new else json(Taken("known"))
