"""Daily use of a SIM line: plausibility of a reading, and data left by the day on which it expires."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from portal_app.domain.sim.sim import TopUp

MB = 1024 * 1024
# What was used and what is left are told by two calls, each in whole units of its own.
_ROUNDING_MB = 8
# A wrong unit is a factor of a thousand; no day of a person is so many times the largest of a month.
_IMPLAUSIBLE = 300
_LEAST_DAYS, _LEAST_BYTES = 3, 1024 * MB


@dataclass(frozen=True, slots=True)
class DataPart:
    """Data that expire on one day, the last on which they can be used."""

    left_mb: int
    expires_on: date
    is_plan: bool


@dataclass(frozen=True, slots=True)
class DayUse:
    """One day; `used_bytes` is None where nothing is known of it. Today is not over."""

    day: date
    used_bytes: int | None
    is_today: bool = False


def is_implausible(used_bytes: int, before: Collection[int]) -> bool:
    """Say whether a day's amount cannot be, by the days of the month before it: a changed unit, not a busy day."""
    if len(before) < _LEAST_DAYS or used_bytes < _LEAST_BYTES:
        return False
    return used_bytes >= _IMPLAUSIBLE * max(*before, 1)


def data_amount(megabytes: float) -> str:
    """Write an amount of data: GB with at most one decimal, below one GB whole MB."""
    gigabytes = f"{megabytes / 1024:.1f}".removesuffix(".0")
    return f"{gigabytes} GB" if megabytes >= 1024 else f"{round(megabytes)} MB"


def month_end(day: date) -> date:
    """Return the last day of a day's month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def last_days(known: Mapping[date, int], today: date, *, today_bytes: int | None, count: int) -> tuple[DayUse, ...]:
    """Return the last days with today, oldest first; a day without a reading is unknown and not nothing."""
    days = [today - timedelta(days=back) for back in range(count, 0, -1)]
    return (*(DayUse(day, known.get(day)) for day in days), DayUse(today, today_bytes, is_today=True))


def living_top_ups(top_ups: Sequence[TopUp], today: date) -> list[TopUp]:
    """Return top-ups that have not expired; one without a day is good until the end of the month it was added in."""
    return [each for each in top_ups if _expiry(each, today) >= today]


def data_parts(
    left_mb: int, plan_mb: int, top_ups: Sequence[TopUp], today: date, *, used_mb: int
) -> tuple[DataPart, ...]:
    """Return what is left by the day it expires: what expires first counts as used first.

    A month begins with the plan's data, so what it used is missing from them first. Of a top-up of an earlier month
    less may be left than was added. Empty where the parts cannot add up to what is left.
    """
    plan_left = min(max(0, plan_mb - used_mb), left_mb)
    rest = left_mb - plan_left
    found = [DataPart(plan_left, month_end(today), is_plan=True)] if plan_left else []
    added: list[DataPart] = []
    for top_up in sorted(living_top_ups(top_ups, today), key=lambda each: _expiry(each, today), reverse=True):
        part = min(rest, top_up.megabytes)
        rest -= part
        added += [DataPart(part, _expiry(top_up, today), is_plan=False)] if part else []
    return (*found, *reversed(added)) if rest <= _ROUNDING_MB else ()


def _expiry(top_up: TopUp, today: date) -> date:
    return top_up.expires_on or month_end(top_up.added_on or today)
