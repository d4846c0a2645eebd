"""What a customer chose beyond the plan, by kind of service: checked before it gets here, kept whole with the order."""

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
    """How a SIM line is to be. `activate_on` is a day in Japan, None for at once; `eid` is set for an eSIM.

    `holder` is who a voice line is registered to. A number brought along is `number` with `port_in`.
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
    """How a fibre line is to be. `offering` is the offer type an agent found ("Home 1G"), `tier` the plan's."""

    offering: str
    tier: str
    access_mode: AccessMode
    installation: Installation
    weekend: bool = False
    home_phone: bool = False
    switch_number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class VpnOptions:
    """Where a VPN comes out, in the catalogue's word ("USA-SF")."""

    region: str


Options = SimOptions | InternetOptions | VpnOptions
# The catalogue's fixed SKUs of what a voice line may have besides.
VOICE_OPTIONS = {"voice_mail": "SIM-ADDON-VOICE-MAIL", "call_waiting": "SIM-ADDON-CALL-WAITING"}
# The catalogue's fixed SKUs of how an installation is paid, and of what a fibre line may have besides.
INSTALLATIONS: dict[Installation, str] = {
    "single": "INTERNET-INSTALL-SINGLE",
    "12m": "INTERNET-INSTALL-12M",
    "24m": "INTERNET-INSTALL-24M",
}
INTERNET_OPTIONS = {"weekend": "INTERNET-INSTALL-WEEKEND", "home_phone": "INTERNET-ADDON-HIKARI-DENWA"}
_KINDS: dict[str, type[Options]] = {"sim": SimOptions, "internet": InternetOptions, "vpn": VpnOptions}


def options_to_json(options: Options) -> str:
    """Write options down; they hold personal data, so the text is kept encrypted."""
    kind = next(name for name, each in _KINDS.items() if isinstance(options, each))
    return json.dumps({"kind": kind, **asdict(options)}, default=str, ensure_ascii=False)


def options_from_json(text: str) -> Options:
    """Read options as they were written down."""
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
    """Write the address snapshot down; kept encrypted."""
    return json.dumps(asdict(address), ensure_ascii=False)


def address_from_json(text: str) -> Address:
    """Read an address snapshot."""
    return Address(**json.loads(text))


def _person(row: dict[str, Any]) -> Person:
    return Person(**row | {"birth_date": date.fromisoformat(row["birth_date"])})


def extras_of(options: Options | None) -> tuple[str, ...]:
    """Return the SKUs that options add to a plan (the catalogue's fixed SKUs)."""
    if isinstance(options, SimOptions):
        return tuple(sku for name, sku in VOICE_OPTIONS.items() if getattr(options, name))
    if isinstance(options, InternetOptions):
        chosen = tuple(sku for name, sku in INTERNET_OPTIONS.items() if getattr(options, name))
        return (INSTALLATIONS[options.installation], *chosen)
    return ()
