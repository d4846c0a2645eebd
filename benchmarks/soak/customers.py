"""The customers of a soak: who orders what, what they leave undone, and how each of their orders has to end."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from portal_app.domain.checkout.steps import Answers
from portal_app.infra.clock import today
from tests.support.clients.fibre_orders import ANSWERS, PLAN
from tests.support.clients.portal_driver import SKU
from tests.support.clients.sim_orders import DATA, EID, HOLDER, VOICE, VOICE_OPTIONS

End = Literal["active", "waiting_for_identity", "waiting_for_card", "scheduled", "not_accepted"]
# When somebody brings what is missing: before it is asked for, when it is asked for, or never.
When = Literal["early", "asked", "never"]
_PORTED = itertools.count(9_020_000_000)


@dataclass(frozen=True)
class Wanted:
    """One order. `fields` are what an agent writes who takes it by telephone; `ported` is a number brought along.

    `starts_in`: so many seconds after the approval an agent moves the day that the customer chose.
    """

    kind: str
    sku: str
    ends: End = "active"
    answers: Answers = field(default_factory=dict)
    fields: Mapping[str, Any] | None = None
    ported: str = ""
    starts_in: int = 0

    @property
    def is_sim(self) -> bool:
        """Whether it leads to a line of the carrier's."""
        return self.sku.startswith("SIM-")

    @property
    def is_electronic(self) -> bool:
        """Whether it is an eSIM."""
        told = self.answers.get("sim", {}).get("sim_type"), (self.fields or {}).get("SIM_Type__c")
        return "esim" in told or "eSIM" in told

    @property
    def has_voice(self) -> bool:
        """Whether it is a voice line."""
        return self.sku == VOICE


@dataclass(frozen=True)
class Customer:
    """What one customer orders, and when identity document and card are there."""

    wants: tuple[Wanted, ...]
    identity: When | None = None
    card: When = "early"

    @property
    def has_fibre(self) -> bool:
        """Whether the address has to be checked first."""
        return any(one.kind == "internet" for one in self.wants)


def customers_for(orders: int) -> list[Customer]:
    """Return customers who order so many things together, of every kind in turn."""
    found: list[Customer] = []
    left = orders
    for make in itertools.cycle(_KINDS):
        if left <= 0:
            return found
        customer = make()
        found.append(Customer(customer.wants[:left], customer.identity, customer.card))
        left -= len(found[-1].wants)
    return found


def _vpns() -> Customer:
    return Customer((_vpn(), _vpn(), _vpn(), _vpn()))


def _data() -> Customer:
    soon = _sim("SIM, day moved", start="date", starts_in=15)
    return Customer((_sim("SIM"), _sim("eSIM", electronic=True), soon, _vpn()))


def _voice() -> Customer:
    asked = ("SIM, voice", "SIM, number kept", "eSIM, number kept")
    return Customer(
        (_voice_sim(asked[0]), _voice_sim(asked[1], ported=True), _voice_sim(asked[2], electronic=True, ported=True)),
        identity="asked",
    )


def _house() -> Customer:
    return Customer((Wanted("internet", PLAN, answers=ANSWERS), _vpn(), _sim("SIM")))


def _scheduled() -> Customer:
    return Customer((_sim("eSIM, later", electronic=True, start="date", ends="scheduled"), _vpn()))


def _late_card() -> Customer:
    return Customer((_vpn("VPN, card later"), _sim("eSIM, card later", electronic=True)), card="asked")


def _no_card() -> Customer:
    return Customer((_vpn("VPN, no card", ends="waiting_for_card"),), card="never")


def _unknown() -> Customer:
    return Customer((_voice_sim("SIM, unverified", ends="waiting_for_identity"), _vpn()), identity="never")


def _by_telephone() -> Customer:
    data = {"SIM_Type__c": "eSIM", "EID__c": EID, "Activation_Type__c": "Immediate", "Order_Type__c": "SIM"}
    voice = {**HOLDER, **VOICE_OPTIONS, "SIM_Type__c": "Physical SIM", "Activation_Type__c": "Immediate"}
    return Customer(
        (
            Wanted("eSIM by telephone", DATA, fields=data),
            Wanted("voice by telephone", VOICE, fields={**voice, "Order_Type__c": "SIM"}),
        ),
        identity="early",
    )


def _refused() -> Customer:
    return Customer((_vpn("VPN, refused", ends="not_accepted"), _sim("SIM, refused", ends="not_accepted")))


_KINDS = (
    *(_vpns, _data, _voice, _house, _data, _late_card, _voice, _scheduled, _vpns, _house, _by_telephone, _data),
    *(_unknown, _voice, _vpns, _refused, _house, _data, _by_telephone, _no_card),
)


def _vpn(kind: str = "VPN", *, ends: End = "active") -> Wanted:
    return Wanted(kind, SKU, ends)


def _sim(
    kind: str,
    *,
    electronic: bool = False,
    start: Literal["now", "date"] = "now",
    ends: End = "active",
    starts_in: int = 0,
) -> Wanted:
    return Wanted(kind, DATA, ends, {"sim": _card(electronic, start)}, starts_in=starts_in)


def _voice_sim(kind: str, *, electronic: bool = False, ported: bool = False, ends: End = "active") -> Wanted:
    number = f"0{next(_PORTED)}" if ported else ""
    brought = {"number": number, "reservation_number": "1234567890", "expires_on": str(today() + timedelta(days=12))}
    holder = {
        "last_name": "田中", "first_name": "愛子", "last_name_kana": "タナカ", "first_name_kana": "アイコ",
        "gender": "F", "birth_date": "1990-04-01", "voice_mail": "on", "call_waiting": "on",
    }  # fmt: skip
    answer = {"origin": "port", **brought, **holder} if ported else {"origin": "new", **holder}
    answers = {"sim": _card(electronic, "now"), "number": answer}
    return Wanted(kind, VOICE, ends, answers, ported=number)


def _card(electronic: bool, start: str) -> dict[str, str]:
    own = {"sim_type": "esim", "eid": EID} if electronic else {"sim_type": "physical"}
    day = {"activate_on": str(today() + timedelta(days=3))} if start == "date" else {}
    return {**own, "start": start, **day}
