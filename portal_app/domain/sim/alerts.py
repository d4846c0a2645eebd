"""Alerts that a customer sets for a line: what they watch, and when they fire."""

import unicodedata
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, get_args

from portal_app.domain.errors import InvalidInput
from portal_app.domain.sim.line_reading import LineReading, month_of
from portal_app.language.phrase import Phrase

AlertKind = Literal["left", "forecast", "spend"]
AlertUnit = Literal["mb", "percent", "yen", "none"]
ALERT_KINDS: tuple[AlertKind, ...] = get_args(AlertKind)
LEAST_MB, MOST_MB = 100, 51_200
MOST_YEN = 100_000
# What is left has to rise so far above the threshold before a second crossing is told.
_RISE_PERCENT = 105
_BOUNDS: dict[AlertUnit, tuple[int, int]] = {
    "mb": (LEAST_MB, MOST_MB), "percent": (1, 99), "yen": (1, MOST_YEN), "none": (0, 0),
}  # fmt: skip
_UNITS: dict[AlertKind, tuple[AlertUnit, ...]] = {"left": ("mb", "percent"), "forecast": ("none",), "spend": ("yen",)}
_WRONG: dict[AlertUnit, str] = {
    "mb": "Choose {least} to {most} MB, in whole MB.",
    "percent": "Choose {least} to {most} percent, in whole numbers.",
    "yen": "Choose {least} to {most} yen, in whole yen.",
    "none": "This alert has no amount.",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """What a customer wants to be told of a line: `amount` in `unit`, 0 for the forecast."""

    kind: AlertKind
    amount: int
    unit: AlertUnit

    @classmethod
    def parse(cls, kind: str, amount: object, unit: str) -> "Alert":
        """Read what a customer chose. Raises InvalidInput."""
        known = parse_alert_kind(kind)
        units = _UNITS[known]
        if unit not in units:
            raise InvalidInput({"unit": "Choose one of the units."})
        chosen = next(each for each in units if each == unit)
        least, most = _BOUNDS[chosen]
        return cls(known, parse_whole(amount, "amount", _WRONG[chosen], least=least, most=most), chosen)


@dataclass(frozen=True, slots=True)
class SetAlert:
    """An alert as it was set; `fired_at` is when it fired, None while it waits."""

    kind: AlertKind
    amount: int
    unit: AlertUnit
    set_at: datetime
    fired_at: datetime | None


@dataclass(frozen=True, slots=True)
class AlertState:
    """Where an alert stands: the newest reading it saw, when it fired, and for which month."""

    seen_at: datetime | None = None
    fired_at: datetime | None = None
    fired_month: date | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows from a reading: the new state, and what was read at the threshold where the alert fires."""

    state: AlertState
    fires: bool = False
    value: int = 0


def parse_alert_kind(text: str) -> AlertKind:
    """Parse the name of an alert. Raises InvalidInput."""
    for kind in ALERT_KINDS:
        if kind == text:
            return kind
    raise InvalidInput({"kind": "Choose one of the alerts."})


def parse_whole(value: object, field: str, wrong: str, *, least: int, most: int) -> int:
    """Return a whole number within bounds; full-width digits are read too. Raises InvalidInput."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    is_number = text.isdecimal() and len(text) <= 9
    text = unicodedata.normalize("NFKC", text)
    if not is_number or not least <= int(text) <= most:
        raise InvalidInput({field: Phrase(wrong, least=f"{least:,}", most=f"{most:,}")})
    return int(text)


def judge_left(alert: Alert, state: AlertState, reading: LineReading, *, at: datetime) -> Judgement:
    """Judge an alert on data left or on the forecast by a reading; one that is not newer changes nothing.

    Neither does one of an earlier month, whose data are gone by now, nor one that does not tell what the alert
    watches: it is judged once it does.
    """
    month, is_crossed = month_of(reading.at), _is_crossed(alert, reading)
    if month < month_of(at) or is_crossed is None or (state.seen_at is not None and reading.at <= state.seen_at):
        return Judgement(state)
    seen = replace(state, seen_at=reading.at)
    if _is_armed(state, reading, month):
        armed = AlertState(seen_at=reading.at)
        if is_crossed:
            return Judgement(replace(armed, fired_at=at, fired_month=month), fires=True, value=reading.left_mb or 0)
        return Judgement(armed)
    return Judgement(AlertState(seen_at=reading.at) if _has_risen(alert, reading) else seen)


def judge_spend(alert: Alert, state: AlertState, spent: int, *, at: datetime) -> Judgement:
    """Judge an alert on what top-ups of this month cost, with tax: told once a month."""
    month = month_of(at)
    if state.fired_month == month:
        return Judgement(state)
    if spent >= alert.amount:
        return Judgement(AlertState(seen_at=at, fired_at=at, fired_month=month), fires=True, value=spent)
    return Judgement(AlertState() if state.fired_at else state)


def _is_armed(state: AlertState, reading: LineReading, month: date) -> bool:
    if state.fired_at is None or state.fired_month is None or state.fired_month < month:
        return True
    return reading.added_at is not None and reading.added_at > state.fired_at


def _is_crossed(alert: Alert, reading: LineReading) -> bool | None:
    if alert.kind == "forecast":
        return reading.runs_out
    left, threshold = _compared(alert, reading)
    return None if left is None else left <= threshold


def _has_risen(alert: Alert, reading: LineReading) -> bool:
    if alert.kind == "forecast":
        return bool(reading.lasts)
    left, threshold = _compared(alert, reading)
    return left is not None and left * 100 >= threshold * _RISE_PERCENT


def _compared(alert: Alert, reading: LineReading) -> tuple[int | None, int]:
    """Return what is left and the threshold in the same unit, without rounding."""
    if alert.unit == "mb":
        return reading.left_mb, alert.amount
    if reading.left_mb is None or not reading.allowance_mb:
        return None, 0
    return reading.left_mb * 100, alert.amount * reading.allowance_mb
