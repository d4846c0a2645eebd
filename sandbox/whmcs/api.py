"""The External API's single address: envelope, order of checks, statuses and error texts."""

from html import escape
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, Response

from sandbox.broken_answers import LostAnswer, broken_answer, half_of
from sandbox.faults import VendorBroken, VendorDown, VendorFailed
from sandbox.store import Document
from sandbox.whmcs import (
    addons,
    billing,
    clients,
    invoice_edits,
    modules,
    orders,
    pay_methods,
    products,
    sso,
    system,
    upgrades,
    users,
)
from sandbox.whmcs.access import refusal
from sandbox.whmcs.automation import Automation
from sandbox.whmcs.installation import Died, Installation, Refused, Request
from sandbox.whmcs.php import json_encode, parse_form
from sandbox.whmcs.quirks import FORMS, with_quirk

_MODULES = (
    addons, billing, clients, invoice_edits, modules, orders, pay_methods, products, sso, system, upgrades, users,
)  # fmt: skip
_ACTIONS = {name.lower(): (name, handle) for module in _MODULES for name, handle in module.ACTIONS.items()}
_WARNING = "Invalid or Missing Payment Information - Please Reload and Try Again"
_READS = ("Get", "Validate", "WhmcsDetails")
_DOWN = "<html><head><title>Down for Maintenance</title></head><body><h1>Down for Maintenance</h1></body></html>"
_TOO_MANY = "<html><head><title>Too Many Requests</title></head><body><h1>Too Many Requests</h1></body></html>"
_FAILED = "<html><head><title>Oops!</title></head><body><h1>Oops!</h1><p>Something went wrong.</p></body></html>"


class Api:
    """Answer POST /whmcs/includes/api.php."""

    def __init__(self, whmcs: Installation, automation: Automation) -> None:
        self._whmcs = whmcs
        self._automation = automation

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
        refused = refusal(self._whmcs, request, http.client.host if http.client else "")
        if refused:
            return _error(*refused)
        if self._whmcs.faults.take_special("whmcs", "too_many_requests"):
            return HTMLResponse(_TOO_MANY, 429, {"Retry-After": "1"})
        if handle is None:
            return _error("API Function Not Found", 200)
        self._automation.run()
        answer = self._carry_out(name, handle, request)
        if not name.startswith(_READS) and self._whmcs.faults.loses_answer("whmcs", name):
            return LostAnswer()
        return half_of(answer) if self._whmcs.faults.halves_answer("whmcs", name) else answer

    def _carry_out(self, name: str, handle: Any, request: Request) -> Response:
        # A refused action keeps what it wrote before refusing (a failed capture leaves its time), as WHMCS does.
        with self._whmcs.store.transaction():
            try:
                answer = handle(self._whmcs, request)
            except Refused as error:
                return _error(str(error), 200)
            except Died:
                return LostAnswer()
        # Some actions speak of status instead of result; CreateInvoice's status is the invoice's own.
        head = {} if answer.get("status") in ("success", "error") else {"result": "success"}
        if not name.startswith(_READS) and self._whmcs.faults.take_special("whmcs", "warning"):
            answer = answer | {"warning": _WARNING}
        for form in FORMS:
            if self._whmcs.faults.take_special("whmcs", form):
                answer = with_quirk(answer, form)
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
