"""SIM lines: identifiers, state, usage and holder."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

SimState = Literal["waiting", "active", "suspended", "temporary", "obsolete", "unknown"]
NetworkType = Literal["4G", "5G"]
SimPlanKind = Literal["voice", "data", "sms"]
VoiceOption = Literal["voice_mail", "call_waiting", "call_forwarding", "roaming"]
Gender = Literal["F", "M"]

_EID = re.compile(r"\d{32}", re.ASCII)
_ICCID = re.compile(r"89\d{17,18}", re.ASCII)
_IMEI = re.compile(r"\d{15}", re.ASCII)
_SIM_ACCOUNT = re.compile(r"0\d{10}|020\d{11}", re.ASCII)
_PRODUCT_NUMBER = re.compile(r"[A-Z]{2}\d{13}", re.ASCII)
_RESERVATION = re.compile(r"\d{10}", re.ASCII)


def parse_eid(text: str) -> str:
    """Return the 32 digits of an eSIM's EID (SGP.02, remainder 1 modulo 97).

    Raises ValueError; its text says whether an ICCID or IMEI was given by mistake.
    """
    digits = _digits(text)
    if _EID.fullmatch(digits) and mod_97_10.is_valid(digits):
        return digits
    if _ICCID.fullmatch(digits):
        raise ValueError("this is an ICCID")
    if _IMEI.fullmatch(digits) and luhn.is_valid(digits):
        raise ValueError("this is an IMEI")
    raise ValueError("not an EID")


def parse_iccid(text: str) -> str:
    """Return the 19 or 20 digits of an ICCID (ITU-T E.118); the check digit is not verified, as some issuers omit it.

    Raises ValueError.
    """
    digits = _digits(text)
    if not _ICCID.fullmatch(digits):
        raise ValueError("not an ICCID")
    return digits


def parse_sim_account(text: str) -> str:
    """Return the number of a line: 11 digits, or 14 that begin with 020. Raises ValueError."""
    digits = _digits(text)
    if not _SIM_ACCOUNT.fullmatch(digits):
        raise ValueError("not the number of a SIM line")
    return digits


@dataclass(frozen=True, slots=True)
class Person:
    """The registered holder of a voice line; for a ported number, named as at the previous carrier."""

    last_name: str = field(repr=False)
    first_name: str = field(repr=False)
    last_name_kana: str = field(repr=False)
    first_name_kana: str = field(repr=False)
    gender: Gender = field(repr=False)
    birth_date: date = field(repr=False)


@dataclass(frozen=True, slots=True)
class PortIn:
    """A number ported from another carrier (MNP, two-stop). Raises ValueError for an invalid reservation number."""

    person: Person
    reservation_number: str = field(repr=False)
    expires_on: date

    def __post_init__(self) -> None:
        """Check the reservation number: ten digits."""
        if not _RESERVATION.fullmatch(self.reservation_number):
            raise ValueError("not a reservation number")


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to create. `account` is its number, `product_number` is printed on a physical SIM.

    `plan_kind` is what the plan carries: voice, data alone, or data with SMS.
    """

    account: str = field(repr=False)
    plan_code: str
    network: NetworkType = "4G"
    product_number: str = field(default="", repr=False)
    plan_kind: SimPlanKind = "voice"

    def __post_init__(self) -> None:
        """Check both numbers. Raises ValueError."""
        parse_sim_account(self.account)
        if self.product_number and not _PRODUCT_NUMBER.fullmatch(self.product_number):
            raise ValueError("not the product number of a SIM")


@dataclass(frozen=True, slots=True)
class SimLine:
    """A line as the network reports it. Missing values are empty or None; an unknown state is never active."""

    account: str = field(repr=False)
    state: SimState
    plan_code: str
    network: NetworkType | None
    iccid: str = field(repr=False)
    eid: str = field(repr=False)
    voice: Mapping[VoiceOption, bool]
    remaining_mb: int | None
    started_on: date | None
    next_plan_code: str
    next_plan_on: date | None
    ends_on: date | None
    product_number: str = field(default="", repr=False)

    @property
    def exists(self) -> bool:
        """Whether the line is in use or will be."""
        return self.state not in ("obsolete", "unknown")


@dataclass(frozen=True, slots=True)
class SimUsage:
    """Traffic in bytes: today, and the previous days with yesterday first, None for a day the carrier does not tell.

    `is_restricted`: the quota is used up.
    """

    today_bytes: int
    recent_days_bytes: tuple[int | None, ...]
    is_restricted: bool


@dataclass(frozen=True, slots=True)
class TopUp:
    """Data added to a line; `reference` is the portal's."""

    megabytes: int
    reference: str
    added_on: date | None
    expires_on: date | None


def _digits(text: str) -> str:
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text))
