"""The one mapper between Freebit's fields and ours: names, "10"/"20" flags, dates, numbers as text."""

import math
import re
from collections.abc import Mapping
from datetime import date
from operator import itemgetter
from typing import Any, cast, get_args

from portal_app.domain.sim.sim import (
    NetworkType,
    Person,
    PortIn,
    SimLine,
    SimPlanKind,
    SimState,
    SimUsage,
    TopUp,
    VoiceOption,
)
from portal_app.infra.settings import Settings
from portal_app.integrations.freebit import operations as op
from portal_app.integrations.freebit.codes import VENDOR
from portal_app.integrations.freebit.operations import named
from portal_app.integrations.odd_rows import read_rows

Body = Mapping[str, Any]
ON, OFF = "10", "20"
# Ours -> Freebit's. Most names within answers are assumptions: FREEBIT_FIELDS replaces any of them.
_NAMES = {
    "lines": "responseDatas", "state": "state", "plan": "planCode", "network": "contractLine", "iccid": "iccid",
    "eid": "eid", "voice": "talk", "remaining": "quota", "started_on": "startDate", "next_plan": "nextPlanCode",
    "next_plan_on": "nextPlanDate", "ends_on": "cancelDate", "product_number": "productNumber",
    "traffic": "traffic", "today": "today", "recent_days": "inRecentDays", "restricted": "blackList",
    "history": "quotaHistory", "added_on": "date", "expires_on": "expire",
    "voice_mail": "voiceMail", "call_waiting": "callWaiting", "call_forwarding": "callTransfer", "roaming": "worldWing",
    "person": "identificationData",
}  # fmt: skip


class Mapper:
    """Read answers and write requests with the names the settings give. Reading raises ValueError, KeyError."""

    def __init__(self, overrides: str, *, usage_unit: int, oldest_first: bool = False) -> None:
        others = named(overrides)
        if unknown := others.keys() - _NAMES.keys():
            raise ValueError(f"FREEBIT_FIELDS: unknown {', '.join(sorted(unknown))}")
        self._names = {**_NAMES, **others}
        self._unit = usage_unit
        self._oldest_first = oldest_first

    def line(self, body: Body, account: str) -> SimLine:
        """Read the one line of an answer. Raises ValueError also where it is another line's."""
        row = self._only_row(body, account)
        network = _text(row, self._names["network"])
        remaining = _text(row, self._names["remaining"])
        return SimLine(
            account=account,
            state=_state(_text(row, self._names["state"])),
            plan_code=_text(row, self._names["plan"]),
            network=cast(NetworkType, network) if network in get_args(NetworkType) else None,
            iccid=_text(row, self._names["iccid"]),
            eid=_text(row, self._names["eid"]),
            voice=self._voice(row.get(self._names["voice"])),
            remaining_mb=_whole(remaining, "remaining") if remaining else None,
            started_on=_day(row, self._names["started_on"]),
            next_plan_code=_text(row, self._names["next_plan"]),
            next_plan_on=_day(row, self._names["next_plan_on"]),
            ends_on=_day(row, self._names["ends_on"]),
            product_number=_text(row, self._names["product_number"]),
        )

    def usage(self, body: Body) -> SimUsage:
        """Read the traffic of a line.

        Yesterday comes first. The days end before the first one that cannot be read: one left out would give the
        others wrong dates.
        """
        row = body[self._names["traffic"]]
        told = _text(row, self._names["recent_days"])
        # A day that is left out between two commas is unknown, and the others keep their places.
        days = told.split(",") if told else []
        wanted = [(number, day.strip()) for number, day in enumerate(days[::-1] if self._oldest_first else days, 1)]
        read, odd = read_rows(
            wanted,
            lambda day: (day[0], _whole(day[1], "a day") if day[1] else None),
            vendor=VENDOR,
            listing=op.USAGE.spec,
            id_of=itemgetter(0),
        )
        end = odd[0][0] if odd else math.inf
        return SimUsage(
            today_bytes=_whole(_text(row, self._names["today"]), "today") * self._unit,
            recent_days_bytes=tuple(
                None if size is None else size * self._unit for number, size in read if number < end
            ),
            is_restricted=_flag(row[self._names["restricted"]]),
        )

    def top_ups(self, body: Body) -> list[TopUp]:
        """Read the data that were added to a line; what cannot be read is left out."""

        def read(row: Body) -> TopUp:
            return TopUp(
                megabytes=_whole(_text(row, "quota"), "quota"),
                reference=_text(row, "quotaCode"),
                added_on=_day(row, self._names["added_on"]),
                expires_on=_day(row, self._names["expires_on"]),
            )

        found, _ = read_rows(
            self._history(body), read, vendor=VENDOR, listing=op.DATA_HISTORY.spec, id_of=_reference_of
        )
        return found

    def has_top_up(self, body: Body, reference: str) -> bool:
        """Say whether data were added under a reference, whatever else of their row can be read."""
        return any(_text(row, "quotaCode") == reference for row in self._history(body))

    def voice_options(self, options: Mapping[VoiceOption, bool]) -> dict[str, str]:
        """Write voice options."""
        return {self._names[name]: ON if wanted else OFF for name, wanted in options.items()}

    def person(self, person: Person) -> dict[str, dict[str, str]]:
        """Write who a voice line is registered to."""
        return {self._names["person"]: _identity(person)}

    def _history(self, body: Body) -> list[Body]:
        rows = body.get(self._names["history"]) or []
        if not isinstance(rows, list):
            raise ValueError("no list")
        return rows

    def _only_row(self, body: Body, account: str) -> Body:
        rows = body[self._names["lines"]]
        if len(rows) != 1 or _text(rows[0], "account") != account:
            raise ValueError("another line")
        return cast(Body, rows[0])

    def _voice(self, flags: object) -> dict[VoiceOption, bool]:
        if not isinstance(flags, Mapping):
            return {}
        known: list[VoiceOption] = [name for name in get_args(VoiceOption) if self._names[name] in flags]
        # An option that cannot be read is left out: the line itself can be shown without it.
        read, _ = read_rows(
            known,
            lambda name: (name, _flag(flags[self._names[name]])),
            vendor=VENDOR,
            listing=op.DETAIL.spec,
            id_of=str,
        )
        return dict(read)


def esim_kinds(settings: Settings) -> dict[SimPlanKind, str]:
    """Return simKind by what a plan carries. Raises ValueError where the setting lacks a kind or has an unknown one."""
    kinds = named(settings.freebit_esim_kinds)
    if set(kinds) != set(get_args(SimPlanKind)):
        raise ValueError("FREEBIT_ESIM_KINDS: write voice=, data= and sms=")
    # The former setting was sent for every plan; it was right for voice plans only.
    kinds |= {"voice": settings.freebit_esim_kind} if settings.freebit_esim_kind else {}
    return cast(dict[SimPlanKind, str], kinds)


def port_in_fields(port_in: PortIn, **more: str) -> dict[str, dict[str, str]]:
    """Write the number brought along: a nested object, identity included."""
    reservation = {"reserveNumber": port_in.reservation_number, "reserveExpireDate": written(port_in.expires_on)}
    return {"mnp": {**reservation, **_identity(port_in.person), **more}}


def written(day: date) -> str:
    """Write a date as YYYYMMDD."""
    return day.strftime("%Y%m%d")


def _identity(person: Person) -> dict[str, str]:
    return {
        "lastnameKanji": person.last_name,
        "firstnameKanji": person.first_name,
        "lastnameZenKana": person.last_name_kana,
        "firstnameZenKana": person.first_name_kana,
        "gender": "W" if person.gender == "F" else "M",
        "birthday": written(person.birth_date),
    }


def _state(word: str) -> SimState:
    return cast(SimState, word) if word in get_args(SimState) else "unknown"


def _flag(value: object) -> bool:
    if str(value) not in (ON, OFF) or isinstance(value, bool):
        raise ValueError("neither 10 nor 20")
    return str(value) == ON


def _text(row: Body, name: str) -> str:
    value = row.get(name)
    if isinstance(value, bool | dict | list):
        raise ValueError(f"{name} is no text")
    return "" if value is None else str(value).strip()


def _whole(text: str, name: str) -> int:
    """Return a number; the error names the field and never its value, which may be a phone number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name} is no number") from None


def _reference_of(row: object) -> str:
    value = row.get("quotaCode") if isinstance(row, Mapping) else None
    return value if isinstance(value, str) else ""


def _day(row: Body, name: str) -> date | None:
    digits = re.sub(r"\D", "", _text(row, name))
    try:
        return date.fromisoformat(digits[:8]) if digits.strip("0") else None
    except ValueError:
        raise ValueError(f"{name} is no day") from None
