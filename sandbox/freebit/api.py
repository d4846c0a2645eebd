"""The HTTP side: one form field `json`, always answered with 200 and a result code, whatever became of the call."""

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.broken_answers import LostAnswer, broken_answer, half_of
from sandbox.faults import VendorBroken, VendorDown, VendorFailed
from sandbox.freebit import accounts, changes, registration
from sandbox.freebit.codes import LOCKED, Body, Refused, envelope, refusal, wrong
from sandbox.freebit.fields import refuse_booleans
from sandbox.freebit.login import auth_oem, check_key
from sandbox.freebit.network import Network
from sandbox.freebit.usage import get_traffic_info

_Work = Callable[[Network, Body], Body]
OPERATIONS: dict[str, _Work] = {
    "authOem/": auth_oem,
    "master/getAcnt/": accounts.get_acnt,
    "master/addAcnt/": registration.add_acnt,
    "master/cnclAcnt/": accounts.cancel,
    "master/addSpec/": accounts.add_spec,
    "mvno/getTrafficInfo/": get_traffic_info,
    "mvno/getQuotaHistory/": accounts.quota_history,
    "mvno/getWhiteSim/": accounts.white_sim,
    "mvno/changePlan/": changes.change_plan,
    "mvno/contractline/change/": changes.change_contract_line,
    "mvno/talkoption/addOrder/": changes.add_voice,
    "mvno/talkoption/changeOrder/": changes.change_voice,
    "mvno/semiblack/addTempAcnt/": registration.add_temporary,
    "mvno/semiblack/addAcnt/": registration.add_semi_black,
    "mvno/semiblack/changeState/": registration.change_state,
    "mvno/ota/addAcnt/": registration.add_over_the_air,
    "mvno/esim/addAcnt/": registration.add_esim,
}
_READS = ("authOem/", "master/getAcnt/", "mvno/get")
_DOWN = "<html><head><title>503</title></head><body><h1>メンテナンス中</h1></body></html>"
_FAILED = "<html><head><title>500</title></head><body><h1>Internal Server Error</h1></body></html>"


class Api:
    """Answer POST /emptool/api/<group>/<op>/."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def __call__(self, request: Request) -> Response:
        """Carry one call out in one transaction and answer, broken as the vendor's fault settings say."""
        operation = request.path_params["operation"]
        try:
            await self._network.faults.before("freebit", operation)
        except VendorDown:
            return HTMLResponse(_DOWN, 503)
        except VendorFailed:
            return HTMLResponse(_FAILED, 500)
        except VendorBroken as broken:
            return broken_answer(broken)
        work = OPERATIONS.get(operation)
        if work is None:
            return HTMLResponse("<html><body><h1>Not Found</h1></body></html>", 404)
        answer = self._answer(work, operation, (await request.form()).get("json"))
        if not operation.startswith(_READS) and self._network.faults.loses_answer("freebit", operation):
            return LostAnswer()
        lie = self._lie(operation, answer)
        return half_of(lie) if self._network.faults.halves_answer("freebit", operation) else lie

    def _answer(self, work: _Work, operation: str, sent: Any) -> Body:
        self._network.settle()
        try:
            body = _read(sent)
            # Before the transaction: what a fault counted off stays, also where the call is refused.
            if work is not auth_oem:
                check_key(self._network, body)
            if self._lies("wrong_code", operation):
                raise Refused("999", "999", "システムエラー")
            with self._network.store.transaction():
                return envelope(work(self._network, body))
        except Refused as error:
            return refusal(self._renamed(error))

    def _renamed(self, error: Refused) -> Refused:
        code = self._network.faults.level("freebit", "lock_code")
        is_lock = error.family == LOCKED
        return Refused(str(code), str(code), error.message) if code and is_lock else error

    def _lie(self, operation: str, answer: Body) -> Response:
        if self._lies("html", operation):
            return HTMLResponse(_FAILED)
        if self._lies("no_code", operation):
            return JSONResponse({name: value for name, value in answer.items() if name != "resultCode"})
        if self._lies("numeric_codes", operation):
            status = answer["status"] | {"statusCode": int(answer["status"]["statusCode"])}
            return JSONResponse(answer | {"resultCode": int(answer["resultCode"]), "status": status})
        return JSONResponse(answer)

    def _lies(self, name: str, operation: str) -> bool:
        faults = self._network.faults
        wanted = faults.settings_of("freebit").operations
        return (not wanted or operation in wanted) and faults.take_special("freebit", name)


def _read(sent: Any) -> Body:
    if not isinstance(sent, str):
        raise wrong("json")
    try:
        body = json.loads(sent)
    except ValueError as error:
        raise wrong("json") from error
    if not isinstance(body, dict):
        raise wrong("json")
    refuse_booleans(body)
    return body
