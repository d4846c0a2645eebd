"""The back office as JSON, for tests and scripts."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.back_office.actions import BackOffice, UnknownRecord, WrongState
from sandbox.back_office.address_checks import AddressChecks
from sandbox.back_office.identity_checks import IdentityChecks
from sandbox.back_office.sim_lines import SimLines
from sandbox.back_office.support import SupportCases
from sandbox.faults import parse_fault_settings
from sandbox.switches import SWITCHES

Page = Callable[[Request], Awaitable[Response]]


class JsonApi:
    """Routes below /office/api. Unknown ids answer 404, impossible wishes 409, malformed bodies 422."""

    def __init__(
        self,
        actions: BackOffice,
        sims: SimLines,
        addresses: AddressChecks,
        *,
        identity: IdentityChecks,
        support: SupportCases,
    ) -> None:
        self._actions = actions
        self._sims = sims
        self._addresses = addresses
        self._identity = identity
        self._support = support
        self._order_actions: dict[str, Callable[[Any], None]] = {"approve": actions.approve, "reject": actions.reject}
        self._invoice_actions: dict[str, Callable[[Any], None]] = {
            "pay": actions.pay_invoice, "cancel": actions.cancel_invoice, "refund": actions.refund_invoice,
        }  # fmt: skip
        self.routes = self._routes()

    def _routes(self) -> list[Route]:
        return [
            Route("/mail", _answering(self._mail)),
            Route("/orders", _telling(self._actions.orders)),
            Route("/orders", _answering(self._new_order), methods=["POST"]),
            Route("/orders/{id}", _answering(self._edit_order), methods=["POST"]),
            Route("/orders/{id}/{action}", _answering(self._change_order), methods=["POST"]),
            Route("/identities", _telling(self._identity.customers)),
            Route("/identities/{number}/{action}", _answering(self._decide), methods=["POST"]),
            Route("/cases", _telling(self._actions.cases)),
            *self._support_routes(),
            *self._sim_routes(),
            Route("/address-checks", _telling(self._addresses.checks)),
            Route("/address-checks/{id}", _answering(self._answer_check), methods=["POST"]),
            Route("/invoices/{id:int}/{action}", _answering(self._change_invoice), methods=["POST"]),
            Route("/faults", _telling(self._actions.fault_settings)),
            Route("/faults/{vendor}", _answering(self._set_faults), methods=["POST"]),
            Route("/calls", _telling(self._actions.faults.calls)),
            Route("/switches", _telling(lambda: SWITCHES)),
            Route("/clock", _answering(self._clock)),
            Route("/clock", _answering(self._advance), methods=["POST"]),
            Route("/reset", _answering(self._reset), methods=["POST"]),
            Route("/whmcs/{kind}", _answering(self._whmcs)),
            Route("/whmcs/{kind}/{id:int}/{action}", _answering(self._staff), methods=["POST"]),
        ]

    def _support_routes(self) -> list[Route]:
        return [
            Route("/support", _telling(self._support.cases)),
            Route("/support/{id}/{action}", _answering(self._act_on_case), methods=["POST"]),
        ]

    def _sim_routes(self) -> list[Route]:
        return [
            Route("/sim-lines", _answering(self._sim_lines)),
            Route("/sim-lines/stock", _answering(self._stock), methods=["POST"]),
            Route("/sim-lines/stock/{id}/retire", _answering(self._retire), methods=["POST"]),
            Route("/sim-lines/jobs/{id:int}/{action}", _answering(self._end_job), methods=["POST"]),
            Route("/sim-lines/{account}/{action}", _answering(self._act_on_line), methods=["POST"]),
            Route("/sim-usage.csv", self._usage_csv),
            Route("/sim-calls.csv", self._calls_csv),
        ]

    async def _mail(self, request: Request) -> Any:
        return self._actions.mailbox.messages(request.query_params.get("to"))

    async def _change_order(self, request: Request) -> Any:
        _known(self._order_actions, request)(request.path_params["id"])
        return self._actions.order(request.path_params["id"])

    async def _new_order(self, request: Request) -> Any:
        wanted = await request.json()
        return {"id": self._actions.order_for(wanted["customer"], wanted["skus"], wanted.get("fields", {}))}

    async def _edit_order(self, request: Request) -> Any:
        self._actions.edit(request.path_params["id"], await request.json())
        return {"id": request.path_params["id"]}

    async def _decide(self, request: Request) -> Any:
        note = (await request.json()).get("note", "") if await request.body() else ""
        self._identity.decide(request.path_params["number"], request.path_params["action"], note)
        return {"number": request.path_params["number"]}

    async def _stock(self, request: Request) -> Any:
        wanted = await request.json()
        return {"numbers": self._sims.stock(int(wanted["count"]), electronic=bool(wanted.get("esim")))}

    async def _act_on_line(self, request: Request) -> Any:
        wanted = await request.json() if await request.body() else {}
        account, action = request.path_params["account"], request.path_params["action"]
        self._sims.act(account, action, mb=int(wanted.get("mb", 0)))
        return {"account": account}

    async def _usage_csv(self, request: Request) -> Response:
        days = int(request.query_params.get("days", "1"))
        return PlainTextResponse(self._sims.usage_csv(min(days, 800)), media_type="text/csv")

    async def _calls_csv(self, request: Request) -> Response:
        days = int(request.query_params.get("days", "90"))
        return PlainTextResponse(self._sims.calls_csv(min(days, 800)), media_type="text/csv")

    async def _retire(self, request: Request) -> Any:
        self._sims.retire(request.path_params["id"])
        return {"id": request.path_params["id"]}

    async def _act_on_case(self, request: Request) -> Any:
        action = request.path_params["action"]
        return {"id": self._support.act(request.path_params["id"], action, await request.json())}

    async def _change_invoice(self, request: Request) -> Any:
        _known(self._invoice_actions, request)(request.path_params["id"])
        return next(row for row in self._actions.invoices() if row["id"] == request.path_params["id"])

    async def _answer_check(self, request: Request) -> Any:
        wanted = await request.json()
        self._addresses.answer(request.path_params["id"], list(wanted["offers"]), str(wanted.get("note", "")))
        return next(each for each in self._addresses.checks() if each["id"] == request.path_params["id"])

    async def _sim_lines(self, request: Request) -> Any:
        return {"lines": self._sims.lines(), "sims": self._sims.blank_sims(), "jobs": self._sims.jobs()}

    async def _end_job(self, request: Request) -> Any:
        self._sims.end_job(request.path_params["id"], request.path_params["action"])
        return {"lines": self._sims.lines()}

    async def _set_faults(self, request: Request) -> Any:
        vendor = request.path_params["vendor"]
        self._actions.set_faults(vendor, parse_fault_settings(await request.json()))
        return self._actions.fault_settings()[vendor]

    async def _clock(self, request: Request) -> Any:
        return {"now": self._actions.clock.now().isoformat()}

    async def _advance(self, request: Request) -> Any:
        wanted = await request.json()
        if "to" in wanted:
            return {"now": self._actions.move_to(datetime.fromisoformat(wanted["to"]))}
        return {"now": self._actions.advance(float(wanted["seconds"]))}

    async def _reset(self, request: Request) -> Any:
        self._actions.reset()
        return {"now": self._actions.clock.now().isoformat()}

    async def _whmcs(self, request: Request) -> Any:
        return self._actions.whmcs_rows(request.path_params["kind"])

    async def _staff(self, request: Request) -> Any:
        wanted = await request.json() if await request.body() else {}
        return self._actions.staff(*(request.path_params[name] for name in ("kind", "id", "action")), wanted)


def _telling(read: Callable[[], Any]) -> Page:
    async def told(request: Request) -> Any:
        return read()

    return _answering(told)


def _answering(work: Callable[[Request], Awaitable[Any]]) -> Page:
    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await work(request))
        except UnknownRecord:
            return JSONResponse({"error": "not found"}, 404)
        except WrongState as error:
            return JSONResponse({"error": str(error)}, 409)
        except (ValueError, TypeError, KeyError) as error:
            return JSONResponse({"error": str(error)}, 422)

    return answer


def _known(actions: dict[str, Callable[[Any], None]], request: Request) -> Callable[[Any], None]:
    action = actions.get(request.path_params["action"])
    if action is None:
        raise UnknownRecord(request.path_params["action"])
    return action
