"""A call or SMS that a SIM line made, and the months that customers look at."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

from portal_app.domain.errors import InvalidInput
from portal_app.language.format import JAPAN

CallKind = Literal["call", "sms"]
NumbersShown = Literal["masked", "whole"]
_MONTH = re.compile(r"(20\d{2})-(0[1-9]|1[0-2])", re.ASCII)
_HIDDEN = 4


@dataclass(frozen=True, slots=True)
class Call:
    """One record of the carrier. `at` is its begin, `seconds` is 0 for SMS, `charge` in yen is None where untold.

    Nothing of it is in its `repr`: who was called when is a secret of the customer.
    """

    at: datetime = field(repr=False)
    kind: CallKind = field(repr=False)
    other: str = field(repr=False)
    seconds: int = field(repr=False)
    charge: int | None = field(repr=False)

    @property
    def month(self) -> date:
        """The first day of its month in Japan."""
        return self.at.astimezone(JAPAN).date().replace(day=1)

    @property
    def identity(self) -> str:
        """What makes it the same record in another file: length and charge may be corrected later."""
        return f"{self.at.astimezone(UTC).isoformat()}|{self.kind}|{self.other}"

    def shown_number(self, numbers: NumbersShown) -> str:
        """Return the other party's number as it is shown."""
        return self.other if numbers == "whole" else masked(self.other)

    def to_json(self) -> str:
        """Return the record as it is sealed."""
        return json.dumps([self.at.astimezone(UTC).isoformat(), self.kind, self.other, self.seconds, self.charge])

    @classmethod
    def from_json(cls, text: str) -> "Call":
        """Read a sealed record."""
        at, kind, other, seconds, charge = json.loads(text)
        return cls(datetime.fromisoformat(at), kind, other, seconds, charge)


@dataclass(frozen=True, slots=True)
class CallMonth:
    """A line's records of one month in Japan, newest first; `months` are all that have records, newest first."""

    month: date
    months: tuple[date, ...]
    calls: tuple[Call, ...]

    @property
    def call_count(self) -> int:
        """How many calls there were."""
        return sum(each.kind == "call" for each in self.calls)

    @property
    def sms_count(self) -> int:
        """How many SMS there were."""
        return len(self.calls) - self.call_count

    @property
    def seconds(self) -> int:
        """How long all calls took."""
        return sum(each.seconds for each in self.calls)

    @property
    def charge(self) -> int | None:
        """What the carrier charges for all, in yen; None where it tells no charge."""
        return total_charge(self.calls)


def total_charge(calls: Sequence[Call]) -> int | None:
    """Return the sum of the charges that are told; None where none is."""
    told = [each.charge for each in calls if each.charge is not None]
    return sum(told) if told else None


def masked(number: str) -> str:
    """Return a number with its last four characters hidden; a short one, such as a helpline's, is hidden whole."""
    shown = number[:-_HIDDEN] if len(number) > 2 * _HIDDEN else ""
    return shown + "*" * (len(number) - len(shown))


def parse_month(text: str) -> date | None:
    """Return the first day of a month such as 2026-11, None for an empty text. Raises InvalidInput (month)."""
    if not text:
        return None
    found = _MONTH.fullmatch(text)
    if not found:
        raise InvalidInput({"month": "Write the month as in 2026-11."})
    return date(int(found[1]), int(found[2]), 1)


def month_text(month: date) -> str:
    """Return a month as `parse_month` reads it."""
    return f"{month:%Y-%m}"
