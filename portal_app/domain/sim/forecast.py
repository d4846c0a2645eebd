"""Will the data last? A forecast from a line's own days, said as a range and with its own record.

Level: this month's daily mean and the mean of the 31 days before it, weighted by how many days of this month are over.
Band: 80 percent. The day on which data run out follows the weekdays, where four weeks of history tell them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from math import ceil, sqrt
from statistics import fmean, stdev
from typing import Literal

from portal_app.domain.sim.usage import month_end

FULL_DAYS = 5
HISTORY_DAYS = 56
# A forecast that was no further off was right.
RIGHT_DAYS = 2
_BEFORE_DAYS, _PSEUDO_DAYS, _PSEUDO_WEEKS = 31, 10, 4
_Z = 1.28
_WIDEST_DAYS = 6
_RECORD_DAY, _RECORD_MONTHS = 15, 6
Verdict = Literal["likely_enough", "may_run_out", "used_up"]


@dataclass(frozen=True, slots=True)
class MonthForecast:
    """What a line will have used by the month's end, in MB or any other unit: most likely, and an 80 percent band."""

    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Whether the data last until the month's end, without what is used today.

    `first` and `last` are the days between which they may run out, None where those are too far apart to be told, or
    where they last. `last` may be the day after the month's end: they may well last.
    """

    verdict: Verdict
    month: MonthForecast
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class ForecastRecord:
    """How often the forecast of the 15th was right within two days, of the last months that could be judged."""

    right: int
    months: int


def forecast_month(days: Mapping[date, float], today: date, *, used: float | None = None) -> MonthForecast | None:
    """Return the month's total, None before five full days of the month are known. `days` are whole days.

    `used` is the month's use until yesterday where it is known otherwise: days that nobody read are in it.
    """
    basis = _basis(days, today)
    if basis is None:
        return None
    rest = (month_end(today) - today).days + 1
    so_far = sum(basis.month) if used is None else used
    expected, width = so_far + basis.level * rest, basis.width(rest)
    return MonthForecast(expected, max(so_far, expected - width), expected + width)


def forecast(days: Mapping[date, float], today: date, *, left: float, used: float | None = None) -> Forecast | None:
    """Say whether what is left lasts; None where a forecast would be a guess."""
    month, basis = forecast_month(days, today, used=used), _basis(days, today)
    if month is None or basis is None:
        return None
    if left <= 0:
        return Forecast("used_up", month)
    end = month_end(today)
    rest = [today + timedelta(days=place) for place in range((end - today).days + 1)]
    expected = list(accumulate(basis.level * basis.weekday[day.weekday()] for day in rest))
    widths = [basis.width(place + 1) for place in range(len(rest))]
    first = _reached(rest, [amount + width for amount, width in zip(expected, widths, strict=True)], left)
    if first is None:
        return Forecast("likely_enough", month)
    last = _reached(rest, [amount - width for amount, width in zip(expected, widths, strict=True)], left)
    last = last or end + timedelta(days=1)
    is_near = (last - first).days <= _WIDEST_DAYS
    return Forecast("may_run_out", month, *((first, last) if is_near else (None, None)))


def runs_out_on(days: Mapping[date, float], today: date, *, left: float) -> date | None:
    """Return the single most likely day on which data run out, None where they last; for the record."""
    basis = _basis(days, today)
    if basis is None:
        return None
    rest = [today + timedelta(days=place) for place in range((month_end(today) - today).days + 1)]
    return _reached(rest, list(accumulate(basis.level * basis.weekday[day.weekday()] for day in rest)), left)


def record_of(days: Mapping[date, float], today: date, *, allowance: float) -> ForecastRecord:
    """Judge the forecasts that would have been given on the 15th of the last six months, each known completely."""
    right = months = 0
    end = today.replace(day=1) - timedelta(days=1)
    for _ in range(_RECORD_MONTHS):
        first = end.replace(day=1)
        month = [first + timedelta(days=place) for place in range(end.day)]
        if all(day in days for day in month):
            asked_on = first.replace(day=_RECORD_DAY)
            used = sum(days[day] for day in month if day < asked_on)
            known = {day: amount for day, amount in days.items() if day < asked_on}
            if used < allowance and _basis(known, asked_on) is not None:
                told = runs_out_on(known, asked_on, left=allowance - used)
                came = _reached(month, list(accumulate(days[day] for day in month)), allowance)
                months += 1
                beyond = end + timedelta(days=1)
                right += abs(((told or beyond) - (came or beyond)).days) <= RIGHT_DAYS
        end = first - timedelta(days=1)
    return ForecastRecord(right, months)


@dataclass(frozen=True, slots=True)
class _Basis:
    month: list[float]
    level: float
    spread: float
    weekday: list[float]

    def width(self, days: int) -> float:
        return _Z * self.spread * sqrt(days + days * days / (len(self.month) + _PSEUDO_DAYS))


def _basis(days: Mapping[date, float], today: date) -> _Basis | None:
    start = today.replace(day=1)
    month = [days[day] for day in _span(start, today) if day in days]
    if len(month) < FULL_DAYS:
        return None
    before = [days[day] for day in _span(start - timedelta(days=_BEFORE_DAYS), start) if day in days]
    weight = len(month) / (len(month) + _PSEUDO_DAYS) if before else 1.0
    level = weight * fmean(month) + (1 - weight) * (fmean(before) if before else 0.0)
    return _Basis(month, level, stdev([*month, *before]), _weekday_factors(days, today))


def _weekday_factors(days: Mapping[date, float], today: date) -> list[float]:
    """Return how much each weekday differs from the mean, from at most eight weeks and at least four."""
    recent = {day: days[day] for day in _span(today - timedelta(days=HISTORY_DAYS), today) if day in days}
    if len(recent) < 7 * _PSEUDO_WEEKS:
        return [1.0] * 7
    ordered = sorted(recent.values())
    # One download of a film on a Tuesday makes no Tuesdays.
    cap = ordered[ceil(0.95 * len(ordered)) - 1]
    capped = {day: min(amount, cap) for day, amount in recent.items()}
    mean = fmean(capped.values())
    if mean <= 0:
        return [1.0] * 7
    return [_shrunk([amount / mean for day, amount in capped.items() if day.weekday() == place]) for place in range(7)]


def _shrunk(factors: Sequence[float]) -> float:
    return (sum(factors) + _PSEUDO_WEEKS) / (len(factors) + _PSEUDO_WEEKS)


def _reached(days: Sequence[date], curve: Sequence[float], left: float) -> date | None:
    return next((day for day, reached in zip(days, curve, strict=True) if reached >= left), None)


def _span(start: date, end: date) -> list[date]:
    return [start + timedelta(days=place) for place in range((end - start).days)]
