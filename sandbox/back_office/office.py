"""The back office's pages: orders, address checks, invoices, SIM lines, identities, cases, mail, vendors, the world."""

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.back_office.actions import BackOffice, UnknownRecord, WrongState
from sandbox.back_office.address_checks import OFFERS, AddressChecks
from sandbox.back_office.guard import Guard
from sandbox.back_office.identity_checks import IdentityChecks
from sandbox.back_office.json_api import JsonApi
from sandbox.back_office.sim_lines import SimLines
from sandbox.back_office.support import SupportCases, values_of
from sandbox.faults import FaultSettings
from sandbox.salesforce.support_objects import CASE_STATUSES
from sandbox.streamed import Streamed
from sandbox.switches import SWITCHES

_HERE = Path(__file__).parent
_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
_TITLES = {"sim-lines": "SIM lines", "address-checks": "Address checks"}
_PRESETS = {
    "healthy": FaultSettings(),
    "down": FaultSettings(down=True),
    "slow": FaultSettings(slow=3.0),
    "flaky": FaultSettings(flaky=0.5),
    "lose": FaultSettings(lose_answers=1),
    "html": FaultSettings(broken="html"),
    "half": FaultSettings(broken="half"),
    "silence": FaultSettings(broken="silence"),
    "refused": FaultSettings(broken="refused"),
}
_NOTES = {"approved": "Order approved.", "rejected": "Order rejected.", "paid": "Invoice paid.", "set": "Vendor set."}
_NOTES |= {"moved": "Clock moved.", "reset": "The world is new.", "refused": "That is not possible now."}
_NOTES |= {"answered": "The address is checked."}
_NOTES |= {"finished": "The job is done.", "failed": "The job came to nothing.", "changed": "The line has changed."}
_NOTES |= {"verified": "Identity verified.", "turned_down": "Document rejected."}
_NOTES |= {"worked": "Done."}
_NOTES |= {"unconfirmed": "Tick the box first: a reset cannot be undone."}


class Office:
    """Routes below /office. Actions post a form and come back by redirect with a short note."""

    def __init__(
        self,
        actions: BackOffice,
        sims: SimLines,
        addresses: AddressChecks,
        *,
        identity: IdentityChecks,
        support: SupportCases,
        host: str,
    ) -> None:
        self._actions = actions
        self._sims = sims
        self._addresses = addresses
        self._identity = identity
        self._support = support
        self._templates = _templates()
        routes = [
            Route("/", lambda request: RedirectResponse("/office/orders", 303)),
            Route("/orders", self._orders),
            Route("/orders/{id}/{action}", self._posting(self._change_order), methods=["POST"]),
            Route("/address-checks", self._address_checks),
            Route("/address-checks/{id}/answer", self._posting(self._answer_check), methods=["POST"]),
            Route("/invoices", self._invoices),
            Route("/invoices/{id:int}/pay", self._posting(self._pay_invoice), methods=["POST"]),
            *self._sim_routes(),
            Route("/identity", self._identities),
            Route("/identity/files/{id}", self._document),
            Route("/identity/{number}/{action}", self._posting(self._decide), methods=["POST"]),
            *self._support_routes(),
            Route("/mail", self._mail),
            Route("/vendors", self._vendors),
            Route("/vendors/{vendor}", self._posting(self._set_vendor), methods=["POST"]),
            Route("/clock", self._posting(self._advance), methods=["POST"]),
            Route("/world", self._world),
            Route("/world/reset", self._posting(self._reset), methods=["POST"]),
            Mount("/api", routes=JsonApi(actions, sims, addresses, identity=identity, support=support).routes),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ]
        self.routes = [Mount("/office", routes=routes, middleware=[Middleware(Guard, host=host)])]

    def _support_routes(self) -> list[Route]:
        return [
            Route("/support", self._support_cases),
            Route("/support/{id}", self._support_case),
            Route("/support/{id}/{action}", self._posting(self._work_on_case), methods=["POST"]),
        ]

    def _sim_routes(self) -> list[Route]:
        return [
            Route("/sim-lines", self._sim_lines),
            Route("/sim-lines/jobs/{id:int}/{action}", self._posting(self._end_job), methods=["POST"]),
            Route("/sim-lines/{account}/{action}", self._posting(self._act_on_line), methods=["POST"]),
        ]

    async def _orders(self, request: Request) -> Response:
        return self._page("orders.html", request, orders=self._actions.orders())

    async def _address_checks(self, request: Request) -> Response:
        return self._page("address-checks.html", request, checks=self._addresses.checks(), offers=OFFERS)

    async def _invoices(self, request: Request) -> Response:
        return self._page("invoices.html", request, invoices=self._actions.invoices())

    async def _sim_lines(self, request: Request) -> Response:
        return self._page("sim-lines.html", request, lines=self._sims.lines(), sims=self._sims.blank_sims())

    async def _identities(self, request: Request) -> Response:
        return self._page("identity.html", request, customers=self._identity.customers())

    async def _document(self, request: Request) -> Response:
        try:
            name, content = self._identity.content(request.path_params["id"])
        except UnknownRecord:
            return Response(status_code=404)
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
        return Streamed(content, headers | {"Cache-Control": "no-store"})

    async def _support_cases(self, request: Request) -> Response:
        return self._page("support.html", request, cases=self._support.cases())

    async def _support_case(self, request: Request) -> Response:
        case = next((row for row in self._support.cases() if row["Id"] == request.path_params["id"]), None)
        if case is None:
            return self._page("support.html", request, cases=self._support.cases(), status=404)
        return self._page("support-case.html", request, here="support", case=case, statuses=CASE_STATUSES)

    async def _mail(self, request: Request) -> Response:
        messages = self._actions.mailbox.messages(request.query_params.get("to"))
        first = {row["message_id"]: row["id"] for row in reversed(messages)}
        rows = [
            row | {"code": _code(row["text"]), "is_copy": first[row["message_id"]] != row["id"]} for row in messages
        ]
        return self._page("mail.html", request, messages=rows[::-1])

    async def _vendors(self, request: Request) -> Response:
        vendors = [(name, settings, _preset_of(settings)) for name, settings in self._actions.fault_settings().items()]
        return self._page("vendors.html", request, vendors=vendors, presets=_PRESETS, switches=SWITCHES)

    async def _world(self, request: Request) -> Response:
        return self._page("world.html", request)

    def _change_order(self, request: Request, form: dict[str, str]) -> str:
        action, order = request.path_params["action"], request.path_params["id"]
        (self._actions.approve if action == "approve" else self._actions.reject)(order)
        return "orders?note=" + ("approved" if action == "approve" else "rejected")

    def _answer_check(self, request: Request, form: dict[str, str]) -> str:
        ticked = [offer for offer in OFFERS if f"offer:{offer}" in form]
        self._addresses.answer(request.path_params["id"], ticked, form.get("note", ""))
        return "address-checks?note=answered"

    def _pay_invoice(self, request: Request, form: dict[str, str]) -> str:
        self._actions.pay_invoice(request.path_params["id"])
        return "invoices?note=paid"

    def _work_on_case(self, request: Request, form: dict[str, str]) -> str:
        case, action = request.path_params["id"], request.path_params["action"]
        self._support.act(case, action, values_of(action, form))
        return "support?note=worked" if action == "remove" else f"support/{case}?note=worked"

    def _decide(self, request: Request, form: dict[str, str]) -> str:
        action = request.path_params["action"]
        self._identity.decide(request.path_params["number"], action, form.get("note", ""))
        return "identity?note=" + ("verified" if action == "verify" else "turned_down")

    def _end_job(self, request: Request, form: dict[str, str]) -> str:
        action = request.path_params["action"]
        self._sims.end_job(request.path_params["id"], action)
        return "sim-lines?note=" + ("finished" if action == "finish" else "failed")

    def _act_on_line(self, request: Request, form: dict[str, str]) -> str:
        mb = form.get("mb", "")
        self._sims.act(
            request.path_params["account"], request.path_params["action"], mb=int(mb) if mb.isdecimal() else 0
        )
        return "sim-lines?note=changed"

    def _set_vendor(self, request: Request, form: dict[str, str]) -> str:
        vendor, switch = request.path_params["vendor"], form.get("switch", "").strip()
        if vendor not in self._actions.fault_settings():
            raise UnknownRecord(vendor)
        if not switch and form.get("preset") not in _PRESETS:
            raise UnknownRecord(form.get("preset"))
        settings = FaultSettings(**self._actions.fault_settings()[vendor]) if switch else _PRESETS[form["preset"]]
        if switch:
            settings = replace(settings, special=settings.special | {switch: int(form.get("times") or "1")})
        self._actions.set_faults(vendor, settings)
        return "vendors?note=set"

    def _advance(self, request: Request, form: dict[str, str]) -> str:
        self._actions.advance(float(form.get("seconds", "0")))
        return "vendors?note=moved"

    def _reset(self, request: Request, form: dict[str, str]) -> str:
        if not form.get("confirmed"):
            return "world?note=unconfirmed"
        self._actions.reset()
        return "world?note=reset"

    def _posting(self, work: Callable[[Request, dict[str, str]], str]) -> Callable[..., Any]:
        async def post(request: Request) -> Response:
            form = {name: str(value) for name, value in (await request.form()).items()}
            try:
                target = work(request, form)
            except (UnknownRecord, WrongState, ValueError):
                target = f"{request.url.path.split('/')[2]}?note=refused"
            return RedirectResponse(f"/office/{target}", 303)

        return post

    def _page(self, template: str, request: Request, status: int = 200, **values: object) -> Response:
        note = _NOTES.get(request.query_params.get("note", ""), "")
        shown = {"here": template.removesuffix(".html"), "note": note, "now": self._actions.clock.now()}
        html = self._templates.get_template(template).render(shown | values)
        return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})


def _templates() -> Environment:
    templates = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True)
    templates.filters["titled"] = lambda page: _TITLES.get(page, page.capitalize())
    templates.filters["yen"] = lambda amount: f"¥{int(float(amount)):,}"
    return templates


def _code(text: str) -> str:
    found = _CODE.search(text)
    return found[0] if found else ""


def _preset_of(settings: dict[str, Any]) -> str:
    named = next((name for name, preset in _PRESETS.items() if asdict(preset) == settings), "")
    return {"lose": "loses its next answer"}.get(named, named) or "special"
