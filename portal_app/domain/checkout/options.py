"""The options a customer chose for a service, already validated, and their JSON form in orders."""

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

from portal_app.domain.profile.address import Address
from portal_app.domain.sim.sim import Person, PortIn

SimType = Literal["physical", "esim"]
AccessMode = Literal["ipoe_own_router", "ipoe_home_gateway", "pppoe"]
Installation = Literal["single", "12m", "24m"]


@dataclass(frozen=True, slots=True)
class SimOptions:
    """The options of a SIM line. `activate_on` is a date in Japan, None for immediately; `eid` is set for an eSIM.

    `holder` is the person a voice line is registered to. `number` and `port_in` are set for a ported number (MNP).
    """

    sim_type: SimType
    has_voice: bool
    eid: str = field(default="", repr=False)
    activate_on: date | None = None
    holder: Person | None = field(default=None, repr=False)
    number: str = field(default="", repr=False)
    port_in: PortIn | None = field(default=None, repr=False)
    voice_mail: bool = False
    call_waiting: bool = False


@dataclass(frozen=True, slots=True)
class InternetOptions:
    """The options of a fibre line. `offering` is the offer type ("Home 1G"), `tier` the plan's tier."""

    offering: str
    tier: str
    access_mode: AccessMode
    installation: Installation
    weekend: bool = False
    home_phone: bool = False
    switch_number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class VpnOptions:
    """The exit region of a VPN, as the catalogue names it ("USA-SF")."""

    region: str


Options = SimOptions | InternetOptions | VpnOptions
# Fixed SKUs of the catalogue: options of a voice line.
VOICE_OPTIONS = {"voice_mail": "SIM-ADDON-VOICE-MAIL", "call_waiting": "SIM-ADDON-CALL-WAITING"}
# Fixed SKUs of the catalogue: payment of an installation, and options of a fibre line.
INSTALLATIONS: dict[Installation, str] = {
    "single": "INTERNET-INSTALL-SINGLE",
    "12m": "INTERNET-INSTALL-12M",
    "24m": "INTERNET-INSTALL-24M",
}
INTERNET_OPTIONS = {"weekend": "INTERNET-INSTALL-WEEKEND", "home_phone": "INTERNET-ADDON-HIKARI-DENWA"}
_KINDS: dict[str, type[Options]] = {"sim": SimOptions, "internet": InternetOptions, "vpn": VpnOptions}


def options_to_json(options: Options) -> str:
    """Return options as JSON. It contains personal data: store it only in an encrypted column."""
    kind = next(name for name, each in _KINDS.items() if isinstance(options, each))
    return json.dumps({"kind": kind, **asdict(options)}, default=str, ensure_ascii=False)


def options_from_json(text: str) -> Options:
    """Return the options that `options_to_json` wrote."""
    row: dict[str, Any] = json.loads(text)
    kind = _KINDS[row.pop("kind")]
    if kind is not SimOptions:
        return kind(**row)
    if row["activate_on"]:
        row["activate_on"] = date.fromisoformat(row["activate_on"])
    row["holder"] = _person(row["holder"]) if row["holder"] else None
    if ported := row["port_in"]:
        day = date.fromisoformat(ported["expires_on"])
        row["port_in"] = PortIn(_person(ported["person"]), ported["reservation_number"], day)
    return SimOptions(**row)


def address_to_json(address: Address) -> str:
    """Return an address as JSON. It is personal data: store it only in an encrypted column."""
    return json.dumps(asdict(address), ensure_ascii=False)


def address_from_json(text: str) -> Address:
    """Return the address that `address_to_json` wrote."""
    return Address(**json.loads(text))


def _person(row: dict[str, Any]) -> Person:
    return Person(**row | {"birth_date": date.fromisoformat(row["birth_date"])})


def extras_of(options: Options | None) -> tuple[str, ...]:
    """Return the SKUs that options add to a plan."""
    if isinstance(options, SimOptions):
        return tuple(sku for name, sku in VOICE_OPTIONS.items() if getattr(options, name))
    if isinstance(options, InternetOptions):
        chosen = tuple(sku for name, sku in INTERNET_OPTIONS.items() if getattr(options, name))
        return (INSTALLATIONS[options.installation], *chosen)
    return ()
