"""The back office as JSON, for tests and scripts."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.back_office.address_desk import AddressDesk
from sandbox.back_office.desk import Desk, NotNow, NotThere
from sandbox.back_office.identity_desk import IdentityDesk
from sandbox.back_office.sim_desk import SimDesk
from sandbox.faults import described_mood
from sandbox.switches import SWITCHES

Page = Callable[[Request], Awaitable[Response]]


class JsonApi:
    """Routes below /office/api. Unknown ids answer 404, impossible wishes 409, malformed bodies 422."""

    def __init__(self, desk: Desk, sims: SimDesk, addresses: AddressDesk, *, identity: IdentityDesk) -> None:
        self._desk = desk
        self._sims = sims
        self._addresses = addresses
        self._identity = identity
        self._order_actions: dict[str, Callable[[Any], None]] = {"approve": desk.approve, "reject": desk.reject}
        self._invoice_actions: dict[str, Callable[[Any], None]] = {
            "pay": desk.pay_invoice, "cancel": desk.cancel_invoice, "refund": desk.refund_invoice,
        }  # fmt: skip
        self.routes = [
            Route("/mail", _answering(self._mail)),
            Route("/orders", _answering(self._orders)),
            Route("/orders", _answering(self._new_order), methods=["POST"]),
            Route("/orders/{id}", _answering(self._edit_order), methods=["POST"]),
            Route("/orders/{id}/{action}", _answering(self._change_order), methods=["POST"]),
            Route("/identities", _answering(self._identities)),
            Route("/identities/{number}/{action}", _answering(self._decide), methods=["POST"]),
            Route("/cases", _answering(self._cases)),
            Route("/address-checks", _answering(self._address_checks)),
            Route("/address-checks/{id}", _answering(self._answer_check), methods=["POST"]),
            Route("/invoices/{id:int}/{action}", _answering(self._change_invoice), methods=["POST"]),
            Route("/sim-lines", _answering(self._sim_lines)),
            Route("/sim-lines/stock", _answering(self._stock), methods=["POST"]),
            Route("/sim-lines/stock/{id}/retire", _answering(self._retire), methods=["POST"]),
            Route("/sim-lines/jobs/{id:int}/{action}", _answering(self._end_job), methods=["POST"]),
            Route("/faults", _answering(self._moods)),
            Route("/faults/{vendor}", _answering(self._set_mood), methods=["POST"]),
            Route("/calls", _answering(self._calls)),
            Route("/switches", _answering(self._switches)),
            Route("/clock", _answering(self._clock)),
            Route("/clock", _answering(self._advance), methods=["POST"]),
            Route("/reset", _answering(self._reset), methods=["POST"]),
            Route("/whmcs/{kind}", _answering(self._whmcs)),
        ]

    async def _mail(self, request: Request) -> Any:
        return self._desk.mailbox.messages(request.query_params.get("to"))

    async def _orders(self, request: Request) -> Any:
        return self._desk.orders()

    async def _change_order(self, request: Request) -> Any:
        _known(self._order_actions, request)(request.path_params["id"])
        return self._desk.order(request.path_params["id"])

    async def _new_order(self, request: Request) -> Any:
        wanted = await request.json()
        return {"id": self._desk.order_for(wanted["customer"], wanted["skus"], wanted.get("fields", {}))}

    async def _edit_order(self, request: Request) -> Any:
        self._desk.edit(request.path_params["id"], await request.json())
        return {"id": request.path_params["id"]}

    async def _identities(self, request: Request) -> Any:
        return self._identity.customers()

    async def _decide(self, request: Request) -> Any:
        note = (await request.json()).get("note", "") if await request.body() else ""
        self._identity.decide(request.path_params["number"], request.path_params["action"], note)
        return {"number": request.path_params["number"]}

    async def _stock(self, request: Request) -> Any:
        wanted = await request.json()
        return {"numbers": self._sims.stock(int(wanted["count"]), electronic=bool(wanted.get("esim")))}

    async def _retire(self, request: Request) -> Any:
        self._sims.retire(request.path_params["id"])
        return {"id": request.path_params["id"]}

    async def _cases(self, request: Request) -> Any:
        return self._desk.cases()

    async def _change_invoice(self, request: Request) -> Any:
        _known(self._invoice_actions, request)(request.path_params["id"])
        return next(row for row in self._desk.invoices() if row["id"] == request.path_params["id"])

    async def _address_checks(self, request: Request) -> Any:
        return self._addresses.checks()

    async def _answer_check(self, request: Request) -> Any:
        wanted = await request.json()
        self._addresses.answer(request.path_params["id"], list(wanted["offers"]), str(wanted.get("note", "")))
        return next(each for each in self._addresses.checks() if each["id"] == request.path_params["id"])

    async def _sim_lines(self, request: Request) -> Any:
        return {"lines": self._sims.lines(), "sims": self._sims.blank_sims(), "jobs": self._sims.jobs()}

    async def _end_job(self, request: Request) -> Any:
        self._sims.end_job(request.path_params["id"], request.path_params["action"])
        return {"lines": self._sims.lines()}

    async def _moods(self, request: Request) -> Any:
        return self._desk.moods()

    async def _set_mood(self, request: Request) -> Any:
        vendor = request.path_params["vendor"]
        self._desk.set_mood(vendor, described_mood(await request.json()))
        return self._desk.moods()[vendor]

    async def _calls(self, request: Request) -> Any:
        return self._desk.faults.calls()

    async def _switches(self, request: Request) -> Any:
        return SWITCHES

    async def _clock(self, request: Request) -> Any:
        return {"now": self._desk.clock.now().isoformat()}

    async def _advance(self, request: Request) -> Any:
        wanted = await request.json()
        if "to" in wanted:
            return {"now": self._desk.move_to(datetime.fromisoformat(wanted["to"]))}
        return {"now": self._desk.advance(float(wanted["seconds"]))}

    async def _reset(self, request: Request) -> Any:
        self._desk.reset()
        return {"now": self._desk.clock.now().isoformat()}

    async def _whmcs(self, request: Request) -> Any:
        return self._desk.whmcs_rows(request.path_params["kind"])


def _answering(work: Callable[[Request], Awaitable[Any]]) -> Page:
    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await work(request))
        except NotThere:
            return JSONResponse({"error": "not found"}, 404)
        except NotNow as error:
            return JSONResponse({"error": str(error)}, 409)
        except (ValueError, TypeError, KeyError) as error:
            return JSONResponse({"error": str(error)}, 422)

    return answer


def _known(actions: dict[str, Callable[[Any], None]], request: Request) -> Callable[[Any], None]:
    action = actions.get(request.path_params["action"])
    if action is None:
        raise NotThere(request.path_params["action"])
    return action
