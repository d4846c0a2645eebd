"""The External API's single address: envelope, order of checks, statuses and error texts."""

import hmac
from html import escape
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, Response

from sandbox.broken_answers import LostAnswer, broken_answer, half_of
from sandbox.faults import VendorBroken, VendorDown, VendorFailed
from sandbox.store import Document
from sandbox.whmcs import billing, clients, orders, pay_methods, products, sso, system, users
from sandbox.whmcs.installation import Installation, Refused, Request
from sandbox.whmcs.php import json_encode, parse_form

_MODULES = (billing, clients, orders, pay_methods, products, sso, system, users)
_ACTIONS = {name.lower(): (name, handle) for module in _MODULES for name, handle in module.ACTIONS.items()}
_READS = ("Get", "Validate", "WhmcsDetails")
_DOWN = "<html><head><title>Down for Maintenance</title></head><body><h1>Down for Maintenance</h1></body></html>"
_FAILED = "<html><head><title>Oops!</title></head><body><h1>Oops!</h1><p>Something went wrong.</p></body></html>"


class Api:
    """Answer POST /whmcs/includes/api.php."""

    def __init__(self, whmcs: Installation) -> None:
        self._whmcs = whmcs

    async def __call__(self, http: HttpRequest) -> Response:
        """Check in WHMCS's order, carry the action out in one transaction and answer."""
        body = (await http.body()).decode("utf-8", "replace")
        request = Request(parse_form(http.url.query) | parse_form(body))
        word = request.text("action").lower()
        name, handle = _ACTIONS.get(word, (word, None))
        try:
            await self._whmcs.faults.before("whmcs", name)
        except VendorDown:
            return HTMLResponse(_DOWN, 503)
        except VendorFailed:
            return HTMLResponse(_FAILED, 500)
        except VendorBroken as broken:
            return broken_answer(broken)
        refusal = self._refusal(request, word)
        if refusal:
            return refusal
        if handle is None:
            return _error("API Function Not Found", 200)
        answer = self._carry_out(handle, request)
        if not name.startswith(_READS) and self._whmcs.faults.loses_answer("whmcs", name):
            return LostAnswer()
        return half_of(answer) if self._whmcs.faults.halves_answer("whmcs", name) else answer

    def _refusal(self, request: Request, word: str) -> Response | None:
        if not word:
            return _error("Empty action request", 400)
        if self._whmcs.faults.mood("whmcs").special.get("foreign_ip"):
            return _error("Invalid IP 203.0.113.9", 403)
        if not self._knows(request):
            return _error("Invalid or missing credentials", 403)
        if self._whmcs.faults.mood("whmcs").special.get(f"forbid_{word}"):
            return _error(f'Invalid Permissions: API action "{word}" is not allowed', 403)
        return None

    def _knows(self, request: Request) -> bool:
        settings = self._whmcs.settings
        for identifier, secret in (("identifier", "secret"), ("username", "password")):
            if hmac.compare_digest(request.text(identifier).encode(), settings.whmcs_identifier.encode()):
                return hmac.compare_digest(request.text(secret).encode(), settings.whmcs_secret.encode())
        return False

    def _carry_out(self, handle: Any, request: Request) -> Response:
        # A refused action keeps what it wrote before refusing (a failed capture leaves its time), as WHMCS does.
        with self._whmcs.store.transaction():
            try:
                answer = handle(self._whmcs, request)
            except Refused as error:
                return _error(str(error), 200)
        # Some actions speak of status instead of result; CreateInvoice's status is the invoice's own.
        head = {} if answer.get("status") in ("success", "error") else {"result": "success"}
        return _answer(head, answer, request)


def _answer(head: Document, answer: Document, request: Request) -> Response:
    fields = head | answer
    kind = request.text("responsetype").lower()
    if kind == "json":
        return Response(json_encode(fields), media_type="application/json")
    if kind == "xml":
        inner = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
        return Response(f'<?xml version="1.0" encoding="utf-8"?><whmcsapi>{inner}</whmcsapi>', media_type="text/xml")
    return Response("".join(f"{name}={value};" for name, value in fields.items()), media_type="text/plain")


def _error(message: str, status: int) -> Response:
    body = json_encode({"result": "error", "message": message}).replace('\\"', "\\u0022")
    return Response(body, status, media_type="application/json")
