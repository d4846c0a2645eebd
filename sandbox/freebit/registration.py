"""Making lines: physical SIMs, semi-black SIMs with a ported number, SIMs over the air and eSIMs."""

import re
import secrets

from sandbox.freebit.codes import Body, no_account, not_allowed, unsupported_pattern, wrong
from sandbox.freebit.fields import ON, account, contract_line, day, flag, nested, product_number, text
from sandbox.freebit.network import Network
from sandbox.store import Document

_IDENTITY = ("lastnameKanji", "firstnameKanji", "lastnameZenKana", "firstnameZenKana", "gender", "birthday")
_KATAKANA = re.compile(r"[ァ-ヶー・　]+")
CANCELLED = "60"
# What an eSIM is ordered for: voice, data, data with SMS.
SIM_KINDS = {"voice": "E0", "data": "E2", "sms": "E3"}


def add_acnt(network: Network, body: Body) -> Body:
    """PA02-01: register a line on a blank SIM known beforehand; it becomes active some minutes later."""
    number = account(body)
    _create_type(body)
    plan = network.plan(text(body, "planCode"))
    sim = _blank_sim(network, number, body)
    if network.faults.settings_of("freebit").special.get("preregister") and sim["state"] != "queued":
        raise no_account()
    network.open_line(
        number, plan=plan["code"], contract_line=contract_line(body, "4G"), iccid=sim["iccid"],
        product_number=sim["productNumber"],
    )  # fmt: skip
    _take(network, sim)
    network.queue("activate", number, network.soon(), state="active")
    return {"account": number}


def add_temporary(network: Network, body: Body) -> Body:
    """PA05-18: put a semi-black SIM into the queue; nothing is applied yet."""
    sim = _blank_sim(network, account(body), body)
    network.save_sim(sim | {"state": "queued"})
    return {"account": sim["account"]}


def add_semi_black(network: Network, body: Body) -> Body:
    """PA05-19: register a semi-black SIM, with the number a customer brings along; applied at once."""
    number = account(body)
    _create_type(body)
    plan = network.plan(text(body, "planCode"))
    _check_port_in(body, semi_black=True)
    product = product_number(body)
    sim = next((each for each in network.store.all("freebit.sim") if each["productNumber"] == product), None)
    if sim is None:
        raise no_account()
    old = network.find_line(number)
    if (old and old["state"] not in ("obsolete", "failed")) or sim["state"] not in ("blank", "queued"):
        raise not_allowed("not cancelled")
    network.open_line(
        number, plan=plan["code"], contract_line=contract_line(body, "4G"), iccid=sim["iccid"], product_number=product,
        state="active", started_at=network.clock.now().isoformat(), ported=bool(body.get("mnp")),
    )  # fmt: skip
    _take(network, sim)
    return {"account": number}


def change_state(network: Network, body: Body) -> Body:
    """PA05-20: note what became of a semi-black SIM; "60" (cancelled) frees it to be written over."""
    sim = network.sim(account(body))
    if sim is None:
        raise no_account()
    state = text(body, "state")
    if not re.fullmatch(r"\d{2}", state, re.ASCII):
        raise wrong("state")
    network.save_sim(sim | {"state": "blank" if state == CANCELLED else f"state {state}"})
    line = network.find_line(sim["account"])
    if line and state == CANCELLED:
        network.save(line | {"state": "obsolete"})
    return {"account": sim["account"]}


def add_over_the_air(network: Network, body: Body) -> Body:
    """PA05-33: activate a SIM over the air; the result comes later."""
    _check_aladin(body, forbidden=("R",))
    return _add_electronic(network, body, kind="physical")


def add_esim(network: Network, body: Body) -> Body:
    """PA05-41: an eSIM, new (N), with a number brought along (M) or once more (R); the result comes later."""
    if text(body, "addKind") not in ("N", "M", "R"):
        raise wrong("addKind")
    _check_aladin(body, forbidden=("M", "R"))
    eid = text(body, "eid")
    if not re.fullmatch(r"\d{32}", eid, re.ASCII) or int(eid) % 97 != 1:
        raise wrong("eid")
    return _reissue(network, body, eid) if body["addKind"] == "R" else _add_electronic(network, body, kind="esim")


def _add_electronic(network: Network, body: Body, *, kind: str) -> Body:
    number = account(body)
    _create_type(body)
    plan = network.plan(text(body, "planCode"))
    if kind == "esim" and text(body, "simKind") != SIM_KINDS[plan["kind"]]:
        raise wrong("simKind")
    ported = body.get("addKind") == "M"
    if ported:
        _check_port_in(body, semi_black=False)
        _refuse_living(network, number)
    fields = {"plan": plan["code"], "contract_line": contract_line(body, "4G"), "kind": kind, "ported": ported}
    sim = {"iccid": "", "productNumber": ""} if ported else _blank_sim(network, number, body)
    fields |= {"iccid": sim["iccid"], "product_number": sim["productNumber"]}
    network.open_line(number, **fields)
    if not ported:
        _take(network, sim)
    made = _profile(number, text(body, "eid", "")) if kind == "esim" else {}
    network.queue("activate", number, network.soon(), state="active", **made)
    return {"account": number}


def _reissue(network: Network, body: Body, eid: str) -> Body:
    misplaced = [name for name in ("simKind", "oldEid", "oldProductNumber") if name in body]
    if misplaced:
        raise wrong(misplaced[0])
    line, old = network.live_line(account(body)), nested(body, "reissue")
    network.plan(text(body, "planCode"))
    replaced = {"oldEid": line["eid"], "oldProductNumber": line["product_number"]}
    unfit = [name for name, value in old.items() if value != replaced.get(name)]
    if line["kind"] != "esim" or unfit or not old:
        raise not_allowed("no eSIM" if line["kind"] != "esim" else "reissue")
    if network.jobs(line["account"], "esim"):
        raise not_allowed("reissue under way")
    network.queue("esim", line["account"], network.soon(), **_profile(line["account"], eid))
    return {"account": line["account"]}


def _profile(number: str, eid: str) -> Document:
    code = f"LPA:1$smdp.sandbox.example${secrets.token_hex(8).upper()}"
    return {"eid": eid, "activation_code": code, "iccid": iccid(secrets.randbelow(10**11))}


def iccid(serial: int) -> str:
    """Return a 19-digit ICCID of the sandbox's issuer with its check digit (Luhn, ITU-T E.118)."""
    digits = f"8981999{serial:011d}"
    total = sum(
        int(each) if place % 2 else sum(map(int, str(int(each) * 2))) for place, each in enumerate(reversed(digits))
    )
    return f"{digits}{-total % 10}"


def _blank_sim(network: Network, number: str, body: Body) -> Document:
    sim = network.sim(number)
    product = product_number(body)
    if sim is None or (product and product != sim["productNumber"]):
        raise no_account()
    if sim["state"] not in ("blank", "queued"):
        raise not_allowed("SIM in use")
    _refuse_living(network, number)
    return sim


def _refuse_living(network: Network, number: str) -> None:
    line = network.find_line(number)
    if line and line["state"] not in ("obsolete", "failed"):
        raise not_allowed("account exists")


def _take(network: Network, sim: Document) -> None:
    network.save_sim(sim | {"state": "used"})


def _create_type(body: Body) -> None:
    if text(body, "createType", "new") not in ("new", "add"):
        raise wrong("createType")


def _check_aladin(body: Body, *, forbidden: tuple[str, ...]) -> None:
    if flag(body, "aladinOperated") == ON and body.get("addKind") in forbidden:
        raise unsupported_pattern()


def _check_port_in(body: Body, *, semi_black: bool) -> None:
    misplaced = [name for name in _IDENTITY if name in body]
    if misplaced:
        raise wrong(misplaced[0])
    mnp = nested(body, "mnp")
    if semi_black and not mnp:
        return
    if semi_black and text(mnp, "method") not in ("10", "20"):
        raise wrong("method")
    if mnp.get("method") != "20" and not re.fullmatch(r"\d{10}", text(mnp, "reserveNumber"), re.ASCII):
        raise wrong("reserveNumber")
    if day(mnp, "reserveExpireDate") is None or day(mnp, "birthday") is None:
        raise wrong("birthday" if mnp.get("reserveExpireDate") else "reserveExpireDate")
    for name in _IDENTITY:
        value = text(mnp, name)
        if (name.endswith("ZenKana") and not _KATAKANA.fullmatch(value)) or (name == "gender" and value not in "MW"):
            raise wrong(name)
