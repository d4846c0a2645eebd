"""Reading lines and blank SIMs, adding data and cancelling."""

import re

from sandbox.freebit.codes import Body, no_account, not_allowed, wrong
from sandbox.freebit.fields import account, day, flag, text
from sandbox.freebit.network import Network, midnight, written
from sandbox.freebit.usage import remaining_mb
from sandbox.store import Document

_MOST_MB = 512_000
# What came to nothing is told in the vendor's own vocabulary.
_STATES = {"failed": "obsolete"}


def get_acnt(network: Network, body: Body) -> Body:
    """PA03-02: one line. The request is a list, of which only the first entry is honoured."""
    wanted = body.get("requestDatas")
    if not isinstance(wanted, list) or not wanted or not isinstance(wanted[0], dict):
        raise wrong("requestDatas")
    if wanted[0].get("kind") != "MVNO":
        raise wrong("kind")
    line = network.line(account(wanted[0]))
    # Taken and not processed for an MVNO: no password and no eSIM code comes by it.
    flag(body, "displayPass")
    return {"responseDatas": [_shown(network, line)]}


def white_sim(network: Network, body: Body) -> Body:
    """PA05-15: whether a blank SIM is free."""
    sim = network.sim(account(body))
    if sim is None:
        raise no_account()
    return {name: sim[name] for name in ("account", "productNumber", "iccid", "state")}


def add_spec(network: Network, body: Body) -> Body:
    """PA04-04: add data at once. `quota` is MB as text; `quotaCode` comes back in the history."""
    if text(body, "kind") != "MVNO":
        raise wrong("kind")
    line = network.line(account(body))
    quota = body.get("quota")
    if not isinstance(quota, str) or not re.fullmatch(r"\d{1,6}", quota, re.ASCII) or not 1 <= int(quota) <= _MOST_MB:
        raise wrong("quota")
    code = text(body, "quotaCode", "")
    if len(code) > 512:
        raise wrong("quotaCode")
    if line["share_group"] or line["state"] != "active":
        raise not_allowed("share group" if line["share_group"] else line["state"])
    added = {"quota": quota, "quotaCode": code, "at": network.clock.now().isoformat()}
    line["top_ups"].append(added | {"expire": written(day(body, "expire") or "")})
    network.save(line)
    return {"account": line["account"]}


def quota_history(network: Network, body: Body) -> Body:
    """PA05-02: the data added to a line, oldest first."""
    line = network.line(account(body))
    rows = [
        {"quota": each["quota"], "quotaCode": each["quotaCode"], "date": written(each["at"]), "expire": each["expire"]}
        for each in line["top_ups"]
    ]
    return {"account": line["account"], "total": str(len(rows)), "quotaHistory": rows}


def cancel(network: Network, body: Body) -> Body:
    """PA02-04: end a line at once (in some minutes) or on a day; a plan change to come is forgotten."""
    if text(body, "kind") != "MVNO":
        raise wrong("kind")
    line = network.line(account(body))
    if line["state"] not in ("active", "suspended", "waiting") or line["cancel_on"]:
        raise not_allowed("cancelled already" if line["cancel_on"] else line["state"])
    ends = day(body, "runDate")
    if ends is not None and ends < network.today():
        raise wrong("runDate")
    network.drop(line["account"], "plan")
    line |= {"next_plan": "", "next_plan_on": "", "cancel_on": written(ends or network.today())}
    network.save(line)
    later = ends is not None and ends > network.today()
    due = midnight(ends) if later and ends else network.soon()
    network.queue("cancel", line["account"], due, state="obsolete")
    return {}


def _shown(network: Network, line: Document) -> Document:
    shown = {
        "kind": "MVNO", "account": line["account"], "planCode": line["plan"],
        "state": _STATES.get(line["state"], line["state"]),
        "contractLine": line["contract_line"], "iccid": line["iccid"], "imsi": line["imsi"],
        "productNumber": line["product_number"],
        "size": "esim" if line["kind"] == "esim" else "nano", "startDate": written(line["started_at"]),
        "talk": {name: line["talk"][name] for name in line["talk"]}, "quota": str(remaining_mb(network, line)),
        "nextPlanCode": line["next_plan"], "nextPlanDate": line["next_plan_on"], "cancelDate": line["cancel_on"],
    }  # fmt: skip
    if network.faults.level("freebit", "other_state"):
        shown["state"] = "frozen"
    if network.faults.level("freebit", "quota_missing"):
        del shown["quota"]
    return shown | ({"eid": line["eid"]} if line["eid"] else {})
