"""What is known of a line's data at a moment, from what was last read of it and from the days known since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from portal_app.domain.sim.forecast import forecast, runs_out_on
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.domain.sim.usage import MB, living_top_ups
from portal_app.language.format import JAPAN


@dataclass(frozen=True, slots=True)
class AddedData:
    """Data that the portal added to a line."""

    at: datetime
    megabytes: int


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What is stored of a line: the last reading, the plan's data of a month, whole days in bytes, data added."""

    snapshot: LineSnapshot
    allowance_mb: int | None
    days: Mapping[date, int]
    added: Sequence[AddedData] = ()


@dataclass(frozen=True, slots=True)
class LineReading:
    """A line's data at `at`, the latest moment that something is known of.

    `left_mb` is what is left at most: a day that nobody read counts as nothing used. `runs_out` is what the forecast
    holds for most likely, `lasts` whether the data are likely enough; both None without a forecast. `added_at` is when
    the portal last added data.
    """

    at: datetime
    left_mb: int | None
    allowance_mb: int | None
    runs_out: bool | None = None
    lasts: bool | None = None
    added_at: datetime | None = None


def reading_of(line: LineFacts, *, with_forecast: bool = False) -> LineReading | None:
    """Return the newest reading of a line, None where nothing was read of it."""
    days_end = _midnight(max(line.days) + timedelta(days=1)) if line.days else None
    at = max((each for each in (line.snapshot.told_at, days_end) if each is not None), default=None)
    if at is None:
        return None
    left = _left(line, at)
    runs_out, lasts = _outlook(line, at, left) if with_forecast and left is not None else (None, None)
    added_at = max((each.at for each in line.added), default=None)
    return LineReading(at, left, line.allowance_mb, runs_out=runs_out, lasts=lasts, added_at=added_at)


def month_of(at: datetime) -> date:
    """Return the first day of a moment's month in Japan."""
    return at.astimezone(JAPAN).date().replace(day=1)


def month_begin(month: date) -> datetime:
    """Return the moment at which a month begins in Japan."""
    return _midnight(month)


def next_month(month: date) -> date:
    """Return the first day of the month after that of a day."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _left(line: LineFacts, at: datetime) -> int | None:
    told_at, told = line.snapshot.told_at, line.snapshot.left_mb
    if told_at is not None and told is not None and month_of(told_at) == month_of(at):
        told_on = told_at.astimezone(JAPAN).date()
        # Of the day of the reading itself a part was used before it.
        before = line.snapshot.today_bytes if line.snapshot.today_bytes is not None else line.days.get(told_on, 0)
        used = max(0, line.days.get(told_on, 0) - before)
        used += sum(amount for day, amount in line.days.items() if day > told_on)
        return max(0, max(0, told) + _added_since(line, told_at) - used // MB)
    if line.allowance_mb is None:
        return None
    today, month = at.astimezone(JAPAN).date(), month_of(at)
    # Of data added before, nobody knows how much was left when the month began: they count in full.
    kept = sum(each.megabytes for each in living_top_ups(line.snapshot.top_ups or (), today))
    since = told_at if told_at is not None and line.snapshot.top_ups is not None else _midnight(month)
    used = sum(amount for day, amount in line.days.items() if month <= day < today)
    return max(0, line.allowance_mb + kept + _added_since(line, since) - used // MB)


def _added_since(line: LineFacts, since: datetime) -> int:
    return sum(each.megabytes for each in line.added if each.at > since)


def _outlook(line: LineFacts, at: datetime, left_mb: int) -> tuple[bool | None, bool | None]:
    if left_mb <= 0:
        return True, False
    today = at.astimezone(JAPAN).date()
    days = {day: used / MB for day, used in line.days.items() if day < today}
    found = forecast(days, today, left=left_mb)
    if found is None:
        return None, None
    if found.verdict == "likely_enough":
        return False, True
    return runs_out_on(days, today, left=left_mb) is not None, False


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), JAPAN)
