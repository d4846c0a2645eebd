"""How far the forecast of a SIM line's data is off, against plain pace, on lines generated the same each time."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, log, sqrt
from statistics import fmean

from benchmarks.stage import Stage
from benchmarks.table import Row, versus
from portal_app.domain.sim.forecast import forecast_month, runs_out_on
from portal_app.domain.sim.usage import month_end

_WEEK = (1.0, 0.95, 0.95, 1.0, 1.15, 1.55, 1.45)
_MONTH = date(2026, 3, 1)
_HISTORY = 62


@dataclass(frozen=True)
class Series:
    """A kind of line: how much its days vary, how its level drifts from month to month, how often a day bursts.

    `most` is the largest accepted error over that of plain pace, by full days of the month.
    """

    name: str
    variation: float
    drift: float = 0.0
    bursts: float = 0.0
    most: tuple[tuple[int, float], ...] = ((5, 0.65), (15, 0.90))


SERIES = (
    Series("days vary by 0.3", 0.3),
    Series("days vary by 0.6", 0.6),
    Series("days vary by 1.0", 1.0),
    Series("0.6, level drifts 30 % a month", 0.6, drift=0.3, most=((5, 1.10), (15, 1.10))),
    Series("0.6, bursts on 3 % of days", 0.6, bursts=0.03, most=((5, 0.70), (15, 0.95))),
)


@dataclass(frozen=True)
class ForecastErrors:
    """What one kind of line came to on one day of the month; errors are shares of the month's total."""

    series: str
    day: int
    blend: float
    pace: float
    held: float
    within_two_days: float

    @property
    def ratio(self) -> float:
        """The error of the forecast over that of plain pace."""
        return self.blend / self.pace


def measure(series: Series, day: int, *, lines: int = 400, seed: int = 7) -> ForecastErrors:
    """Return the errors of both methods over the same lines, asked on the day after `day` full days."""
    today = _MONTH + timedelta(days=day)
    blend, pace, held, near = [], [], [], []
    chance = random.Random(seed)
    for days in _lines(series, lines, seed):
        known = {each: amount for each, amount in days.items() if each < today}
        total = sum(amount for each, amount in days.items() if each >= _MONTH)
        found = forecast_month(known, today)
        if found is None:
            raise ValueError("too few days")
        used = sum(amount for each, amount in known.items() if each >= _MONTH)
        blend.append(abs(found.expected - total) / total)
        pace.append(abs(used / day * month_end(_MONTH).day - total) / total)
        held.append(found.low <= total <= found.high)
        # Most lines use their allowance up in the second half of the month, some do not.
        allowance = total * chance.uniform(0.7, 1.1)
        told = runs_out_on(known, today, left=allowance - used) or month_end(_MONTH) + timedelta(days=1)
        near.append(abs((told - _ran_out(days, allowance)).days) <= 2)
    return ForecastErrors(series.name, day, fmean(blend), fmean(pace), fmean(held), fmean(near))


def rows(stage: Stage) -> list[Row]:
    """Return the error of the forecast against that of plain pace, for every kind of line, and how often it held."""
    return [*_against_pace(), *_how_often()]


def _how_often() -> list[Row]:
    found, share = [], (74, 88)
    for series in SERIES:
        errors = measure(series, 15)
        least, most = (62, 100) if series.drift else share
        held = 100 * errors.held
        name, goal = f"range called 80 % after 15 days, {series.name}", f"{least} to {most} %"
        found.append(Row(name, held, "% held", "said", 80, goal=goal, is_ok=least <= held <= most))
        if series.name == SERIES[1].name:
            near = 100 * errors.within_two_days
            name = f"run-out day within two after 15 days, {series.name}"
            found.append(Row(name, near, "% right", "least", 72, goal=">= 72 %", is_ok=near >= 72))
    return found


def _against_pace() -> list[Row]:
    return [
        versus(
            f"forecast after {day} days, {series.name}",
            100 * errors.blend,
            "% off",
            peer=("pace", 100 * errors.pace),
            most=most,
        )
        for series in SERIES
        for day, most in series.most
        for errors in [measure(series, day)]
    ]


def _lines(series: Series, count: int, seed: int) -> Iterator[dict[date, float]]:
    source = random.Random(f"{series.name}-{seed}")
    for _ in range(count):
        level, amounts = 100 * source.uniform(0.5, 3.0), {}
        weight = source.uniform(0.3, 1.4)
        draw = _lognormal(source, series.variation)
        start = _MONTH - timedelta(days=_HISTORY)
        for place in range((month_end(_MONTH) - start).days + 1):
            day = start + timedelta(days=place)
            if day.day == 1 and series.drift:
                level *= exp(source.gauss(0, series.drift))
            week = 1 + weight * (_WEEK[day.weekday()] - 1)
            burst = source.uniform(5, 12) if source.random() < series.bursts else 1.0
            amounts[day] = level * week * draw() * burst
        yield amounts


def _lognormal(source: random.Random, variation: float) -> Callable[[], float]:
    sigma = sqrt(log(1 + variation * variation))
    return lambda: source.lognormvariate(-sigma * sigma / 2, sigma)


def _ran_out(days: dict[date, float], allowance: float) -> date:
    used = 0.0
    for day, amount in sorted(days.items()):
        if day >= _MONTH:
            used += amount
            if used >= allowance:
                return day
    return month_end(_MONTH) + timedelta(days=1)
