"""Changing a living line: voice options, 4G or 5G, plan. What may follow what is bound to half an hour."""

from datetime import timedelta

from sandbox.freebit.codes import Body, locked, not_allowed, wrong
from sandbox.freebit.fields import OFF, ON, account, contract_line, day, flag, nested, product_number, text
from sandbox.freebit.network import VOICE_OPTIONS, Network, midnight, written
from sandbox.store import Document

_IDENTITY = ("lastnameKanji", "firstnameKanji", "lastnameZenKana", "firstnameZenKana", "gender", "birthday")


def add_voice(network: Network, body: Body) -> Body:
    """PA05-05: register voice options and who speaks; an option left out is off. Cannot be taken back."""
    line = network.line(account(body))
    if line["state"] not in ("waiting", "active"):
        raise not_allowed(line["state"])
    _check_voice(network, line, body)
    identity = nested(body, "identificationData")
    for name in _IDENTITY:
        text(identity, name)
    network.save(line | {"identity": identity})
    return _order_voice(network, line["account"], dict.fromkeys(VOICE_OPTIONS, OFF) | _options(body))


def change_voice(network: Network, body: Body) -> Body:
    """PA05-06: change some voice options; one left out stays, none at all is an error."""
    line = network.live_line(account(body))
    _check_voice(network, line, body)
    options = _options(body)
    if not options:
        raise wrong("talkOption")
    return _order_voice(network, line["account"], options)


def change_contract_line(network: Network, body: Body) -> Body:
    """PA05-38: 4G or 5G; done after half an hour, the account is locked at once, no way back."""
    line = network.live_line(account(body))
    wanted = contract_line(body)
    product_number(body)
    _refuse_within(network, line, "line_changed_at", "voice_changed_at")
    line["line_changed_at"] = network.clock.now().isoformat()
    network.save(line)
    due = network.now() + timedelta(seconds=network.settings.freebit_lock_seconds)
    network.queue("line", line["account"], due, contract_line=wanted)
    return {"account": line["account"]}


def change_plan(network: Network, body: Body) -> Body:
    """PA05-21: another plan, at once or from a day on; a scheduled one replaces the one before."""
    line = network.live_line(account(body))
    plan = network.plan(text(body, "planCode"))
    starts = day(body, "runTime")
    if starts is not None and starts < network.today():
        raise wrong("runTime")
    address = flag(body, "globalIp")
    _refuse_within(network, line, "line_changed_at", "voice_changed_at")
    network.drop(line["account"], "plan")
    if starts is None or starts == network.today():
        network.save(line | {"plan": plan["code"], "next_plan": "", "next_plan_on": ""})
    else:
        network.save(line | {"next_plan": plan["code"], "next_plan_on": written(starts)})
        changes = {"plan": plan["code"], "next_plan": "", "next_plan_on": ""}
        network.queue("plan", line["account"], midnight(starts), **changes)
    return {"account": line["account"]} | ({"ipv4": "198.51.100.7"} if address == ON else {})


def _check_voice(network: Network, line: Document, body: Body) -> None:
    if flag(body, "userConfirmed") != ON:
        raise wrong("userConfirmed")
    flag(body, "aladinOperated")
    if not network.plan(line["plan"])["voice"]:
        raise not_allowed("data only")
    if network.jobs(line["account"], "voice"):
        raise locked(network.faults.level("freebit", "other_lock_code"))
    _refuse_within(network, line, "line_changed_at")


def _options(body: Body) -> dict[str, str]:
    options = nested(body, "talkOption")
    unknown = [name for name in options if name not in VOICE_OPTIONS]
    if unknown:
        raise wrong(unknown[0])
    return {name: flag(options, name) for name in options}


def _order_voice(network: Network, number: str, options: dict[str, str]) -> Body:
    line = network.line(number)
    network.save(line | {"voice_changed_at": network.clock.now().isoformat() if line["state"] == "active" else ""})
    network.queue("voice", number, network.soon(), talk=options)
    return {"account": number}


def _refuse_within(network: Network, line: Document, *moments: str) -> None:
    if any(network.is_within(line[name], network.settings.freebit_lock_seconds) for name in moments):
        raise locked(network.faults.level("freebit", "other_lock_code"))
