"""How the API shows a SIM line."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from portal_app.api.http.resource import From, Resource
from portal_app.domain.sim.line_change import LineChange
from portal_app.domain.sim.line_view import LineView
from portal_app.infra.clock import now


@dataclass
class DataPartView(Resource):
    """Data that expire on one day, the last on which they can be used."""

    left_mb: int
    expires_on: date
    is_plan: bool


@dataclass
class DataView(Resource):
    """The month's data in MB; null is unknown and never nothing."""

    allowance_mb: int | None
    left_mb: int | None
    used_mb: int | None
    resets_on: date
    by_expiry: Annotated[list[DataPartView], From("parts", DataPartView.list_of)]


@dataclass
class DayView(Resource):
    """What was used on a day, null where that is unknown; today is not over."""

    day: date
    used_bytes: int | None
    is_today: bool


@dataclass
class ForecastView(Resource):
    """Whether the data last until the month's end, without what is used today: likely_enough, may_run_out, used_up.

    `first` and `last` are the days between which they may run out, null where that cannot be told.
    `right_months` of the last `judged_months` forecasts were right within two days.
    """

    verdict: str
    first: date | None
    last: date | None
    month_mb: int
    low_mb: int
    high_mb: int
    right_months: int | None
    judged_months: int | None


@dataclass
class TopUpView(Resource):
    """Data added to a line."""

    megabytes: int
    added_on: date | None
    expires_on: date | None


@dataclass
class PlannedView(Resource):
    """What happens to the line on a day: plan_change or end."""

    kind: str
    on: date | None


@dataclass
class LineChangeView(Resource):
    """A change under way: it locks the line for so many minutes, at most where `is_at_most`; or one that failed."""

    kind: str
    minutes_left: int
    is_at_most: bool
    has_failed: bool


@dataclass
class LineResource(Resource):
    """A SIM line as its carrier tells it; `as_of` is set for saved data. `link` is linked, searching or not_linked.

    All else is null where the service has no linked line, and where it is unknown.
    """

    link: str
    number: str | None
    plan: str | None
    state: str | None
    network: str | None
    sim_type: str | None
    iccid_end: str | None
    eid_end: str | None
    voice: dict[str, bool] | None
    data: DataView | None
    days: list[DayView] | None
    forecast: ForecastView | None
    top_ups: list[TopUpView] | None
    planned: list[PlannedView] | None
    changes: list[LineChangeView] | None
    read_at: datetime | None
    as_of: datetime | None


def line_resource(link: str, line: LineView | None, *, plan: str) -> LineResource:
    """Return the resource of a service's line."""
    if line is None:
        return LineResource(link, *[None] * 16)
    snapshot = line.snapshot
    return LineResource(
        link=link,
        number=line.ids.number,
        plan=plan,
        state=snapshot.state,
        network=snapshot.network,
        sim_type="esim" if snapshot.is_esim else "physical",
        iccid_end=line.ids.iccid_end or None,
        eid_end=line.ids.eid_end or None,
        voice=dict(snapshot.voice),
        data=DataView.from_domain(line.data),
        days=DayView.list_of(line.days),
        forecast=_forecast(line),
        top_ups=None if line.top_ups is None else TopUpView.list_of(line.top_ups),
        planned=_planned(line),
        changes=[_change(each) for each in line.changes],
        read_at=line.read_at,
        as_of=line.as_of,
    )


def _forecast(line: LineView) -> ForecastView | None:
    if line.forecast is None:
        return None
    month, record = line.forecast.month, line.record
    return ForecastView(
        verdict=line.forecast.verdict,
        first=line.forecast.first,
        last=line.forecast.last,
        month_mb=round(month.expected),
        low_mb=round(month.low),
        high_mb=round(month.high),
        right_months=record.right if record else None,
        judged_months=record.months if record else None,
    )


def _planned(line: LineView) -> list[PlannedView]:
    snapshot = line.snapshot
    found = [PlannedView("plan_change", snapshot.next_plan_on)] if snapshot.next_plan_code else []
    return found + ([PlannedView("end", snapshot.ends_on)] if snapshot.ends_on else [])


def _change(change: LineChange) -> LineChangeView:
    seconds = 0.0 if change.has_failed else (change.held_until - now()).total_seconds()
    return LineChangeView(change.kind, max(0, -int(-seconds // 60)), change.is_at_most, change.has_failed)
