"""All that a customer sees of a SIM line, and how it follows from what was read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from portal_app.domain.sim.forecast import HISTORY_DAYS, Forecast, ForecastRecord, forecast, record_of
from portal_app.domain.sim.line_change import LineChange
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.domain.sim.sim import TopUp
from portal_app.domain.sim.sim_plan import SimPlan
from portal_app.domain.sim.usage import MB, DataPart, DayUse, data_parts, last_days, living_top_ups, month_end

LinkState = Literal["linked", "searching", "not_linked"]
SHOWN_DAYS = 31
# Six months of forecasts, each with its own two months before it.
KEPT_DAYS = 31 * 8 + HISTORY_DAYS


@dataclass(frozen=True, slots=True)
class LineIds:
    """A line's number, and the last four digits of its ICCID and EID."""

    number: str = field(repr=False)
    iccid_end: str = field(default="", repr=False)
    eid_end: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DataUse:
    """The month's data in MB, each None where it is unknown, and what is left by the day it expires."""

    allowance_mb: int | None
    left_mb: int | None
    used_mb: int | None
    parts: tuple[DataPart, ...]
    resets_on: date


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with its data, days and changes. `as_of` is set where the carrier did not answer."""

    ids: LineIds
    snapshot: LineSnapshot
    data: DataUse
    days: tuple[DayUse, ...]
    forecast: Forecast | None
    record: ForecastRecord | None
    top_ups: tuple[TopUp, ...] | None
    changes: tuple[LineChange, ...]
    read_at: datetime | None
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class LineOverview:
    """The line of a SIM service: linked, being looked for, or not linked yet; `line` is set where it is linked."""

    link: LinkState
    line: LineView | None = None


def data_use(snapshot: LineSnapshot, plan: SimPlan | None, known: Mapping[date, int], today: date) -> DataUse:
    """Return the month's data; `known` are the bytes of whole days.

    What was used is what the days say, and where a day is missing what is missing from plan and top-ups.
    """
    allowance = plan.data_mb if plan else None
    left = None if snapshot.left_mb is None else max(0, snapshot.left_mb)
    top_ups = living_top_ups(snapshot.top_ups or (), today)
    used = _used(snapshot, allowance, top_ups, known=known, today=today)
    is_known = left is not None and allowance is not None and used is not None and snapshot.top_ups is not None
    parts = data_parts(left or 0, allowance or 0, top_ups, today, used_mb=used or 0) if is_known else ()
    return DataUse(
        allowance_mb=allowance,
        left_mb=left,
        used_mb=used,
        parts=parts,
        resets_on=month_end(today) + timedelta(days=1),
    )


def line_forecast(
    data: DataUse, snapshot: LineSnapshot, known: Mapping[date, int], today: date
) -> tuple[Forecast | None, ForecastRecord | None]:
    """Return the forecast of an active line and its record; none without the plan's amount or what is left."""
    if data.allowance_mb is None or data.left_mb is None or snapshot.state != "active":
        return None, None
    days = {day: used / MB for day, used in known.items() if day < today}
    today_mb = (snapshot.today_bytes or 0) / MB
    used = None if data.used_mb is None else max(0.0, data.used_mb - today_mb)
    found = forecast(days, today, left=data.left_mb, used=used)
    if found is None:
        return None, None
    record = record_of(days, today, allowance=data.allowance_mb)
    return found, record if record.months else None


def shown_days(known: Mapping[date, int], snapshot: LineSnapshot, today: date) -> tuple[DayUse, ...]:
    """Return the last days for the chart, from the first that is known on."""
    days = last_days(known, today, today_bytes=snapshot.today_bytes, count=SHOWN_DAYS)
    first = next((place for place, each in enumerate(days) if each.used_bytes is not None), len(days))
    return days[first:]


def _used(
    snapshot: LineSnapshot, allowance: int | None, top_ups: Sequence[TopUp], *, known: Mapping[date, int], today: date
) -> int | None:
    start = today.replace(day=1)
    if snapshot.started_on and snapshot.started_on > start:
        start = min(snapshot.started_on, today)
    month = [start + timedelta(days=place) for place in range((today - start).days)]
    if snapshot.today_bytes is not None and all(day in known for day in month):
        return (sum(known[day] for day in month) + snapshot.today_bytes) // MB
    is_told = allowance is not None and snapshot.left_mb is not None and snapshot.top_ups is not None
    # Of a top-up of an earlier month nobody knows how much was left when this month began.
    if (
        is_told
        and allowance is not None
        and snapshot.left_mb is not None
        and all(_is_of(each, start) for each in top_ups)
    ):
        used = allowance + sum(each.megabytes for each in top_ups) - snapshot.left_mb
        return used if used >= 0 else None
    return None


def _is_of(top_up: TopUp, start: date) -> bool:
    return top_up.added_on is not None and top_up.added_on >= start.replace(day=1)
