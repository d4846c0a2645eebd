"""A SIM line as rows and words for its page."""

from dataclasses import dataclass, field
from datetime import date
from math import ceil

from portal_app.domain.sim.forecast import FULL_DAYS, RIGHT_DAYS, Forecast, ForecastRecord
from portal_app.domain.sim.line_change import CARRIER, LineChange
from portal_app.domain.sim.line_view import DataUse, LineOverview, LineView
from portal_app.domain.sim.sim import TopUp
from portal_app.domain.sim.usage import MB, DayUse, data_amount
from portal_app.infra.clock import now
from portal_app.language import _, path_for, spoken
from portal_app.language.format import day, duration, listed, phone_number, time
from portal_app.state.sim.standing import line_standing

_CHANGES = {
    "network": "Change between 4G and 5G",
    "voice": "Change of voice options",
    "voice-order": "Change of voice options",
    "plan": "Plan change",
    "reissue": "New eSIM profile",
    "cancel": "Cancellation",
    "activate": "Opening of the line",
    CARRIER: "A change at the carrier",
}


@dataclass(frozen=True)
class Fact:
    """A label with its value."""

    label: str
    value: str


@dataclass(frozen=True)
class Bar:
    """One day of the chart, of 100 units at most. `kind` is used, today or unknown."""

    x: int
    y: int
    height: int
    kind: str
    label: str
    amount: str


@dataclass(frozen=True)
class LineRows:
    """All texts of a line; `link` is empty for a service that has none."""

    link: str = ""
    number: str = ""
    word: str = ""
    tone: str = "neutral"
    note: str = ""
    facts: list[Fact] = field(default_factory=list)
    left: str = ""
    data_note: str = ""
    parts: list[Fact] = field(default_factory=list)
    forecast: str = ""
    forecast_tone: str = "info"
    record: str = ""
    bars: list[Bar] = field(default_factory=list)
    width: int = 0
    highest: str = ""
    today: str = ""
    top_ups: list[Fact] = field(default_factory=list)
    pending: list[Fact] = field(default_factory=list)
    calls_href: str = ""


def line_rows(overview: LineOverview | None, *, plan: str, service_id: int) -> LineRows:
    """Return the rows of a service's line."""
    if overview is None:
        return LineRows()
    line = overview.line
    if line is None:
        return LineRows(link=overview.link)
    standing, bars = line_standing(line.snapshot.state), _bars(line.days)
    tone, forecast = _forecast_words(line.forecast, line.data)
    return LineRows(
        link=overview.link,
        number=phone_number(line.ids.number),
        word=standing.word,
        tone=standing.tone,
        note=_read_note(line),
        facts=_facts(line, plan),
        left=_("{amount} left").format(amount=amount_words(line.data.left_mb)),
        data_note=_data_note(line.data),
        parts=_parts(line.data),
        forecast=forecast,
        forecast_tone=tone,
        record=_record_words(line.record),
        bars=bars,
        width=10 * len(bars),
        highest=_highest(line.days),
        today=_today(line.days),
        top_ups=[_top_up(each) for each in reversed(line.top_ups or ())],
        calls_href=path_for(f"/subscriptions/{service_id}/calls"),
        pending=[*_planned(line), *(_change(each) for each in line.changes)],
    )


def amount_words(megabytes: float | None) -> str:
    """Write an amount of data: GB with at most one decimal, below one GB whole MB; an unknown one as a word."""
    if megabytes is None:
        return _("unknown")
    return data_amount(megabytes)


def _facts(line: LineView, plan: str) -> list[Fact]:
    snapshot = line.snapshot
    found = [Fact(_("Plan"), plan), Fact(_("Network"), snapshot.network or _("unknown"))]
    found.append(Fact(_("SIM"), _("eSIM") if snapshot.is_esim else _("SIM card")))
    if line.ids.iccid_end:
        found.append(Fact(_("ICCID"), _("ends in {digits}").format(digits=line.ids.iccid_end)))
    if line.ids.eid_end:
        found.append(Fact(_("EID"), _("ends in {digits}").format(digits=line.ids.eid_end)))
    return found


def _data_note(data: DataUse) -> str:
    used = _("Used this month: {amount}.").format(amount=amount_words(data.used_mb))
    plan = _("Your plan has {amount} a month.").format(amount=amount_words(data.allowance_mb))
    reset = _("New data from {day}.").format(day=day(data.resets_on))
    return " ".join((used, plan, reset) if data.allowance_mb is not None else (used, reset))


def _parts(data: DataUse) -> list[Fact]:
    """Return what is left by the day it expires: plan and top-ups that end on one day are one amount."""
    left: dict[date, float] = {}
    for part in data.parts:
        left[part.expires_on] = left.get(part.expires_on, 0) + part.left_mb
    return [Fact(_("until {day}").format(day=day(ends)), amount_words(amount)) for ends, amount in left.items()]


def _forecast_words(forecast: Forecast | None, data: DataUse) -> tuple[str, str]:
    if data.left_mb is None:
        return "info", _("How much is left is not known at the moment.")
    if forecast is None:
        known = duration(FULL_DAYS * 86400)
        return "info", _("A forecast comes once this month's use is known for {days}.").format(days=known)
    if forecast.verdict == "used_up":
        return "attention", _("This month's data are used up.")
    if forecast.verdict == "likely_enough":
        return "ok", _("Likely enough until the end of the month.")
    if forecast.first is None or forecast.last is None:
        return "attention", _("Your data may run out before the end of the month.")
    if forecast.last.month != forecast.first.month:
        return "attention", _("May run out from {first} on, or last.").format(first=day(forecast.first))
    if forecast.first == forecast.last:
        return "attention", _("May run out on {first}.").format(first=day(forecast.first))
    words = _("May run out between {first} and {last}.")
    return "attention", words.format(first=day(forecast.first), last=day(forecast.last))


def _record_words(record: ForecastRecord | None) -> str:
    if record is None:
        return ""
    words = _("Without what you use today. Right within {span} in {right} of your last {months} months.")
    return words.format(span=duration(RIGHT_DAYS * 86400), right=record.right, months=record.months)


def _bars(days: tuple[DayUse, ...]) -> list[Bar]:
    most = max((each.used_bytes or 0 for each in days), default=0)
    bars = []
    for place, each in enumerate(days):
        kind = "unknown" if each.used_bytes is None else "today" if each.is_today else "used"
        # A day with little is seen too.
        height = ceil(100 * each.used_bytes / most) if each.used_bytes and most else 0
        label = _short_day(each.day, is_today=each.is_today)
        amount = amount_words(None if each.used_bytes is None else each.used_bytes / MB)
        bars.append(Bar(10 * place, 100 - height, height, kind, label, amount))
    return bars


def _short_day(value: date, *, is_today: bool) -> str:
    written = f"{value.month}月{value.day}日" if spoken() == "ja" else f"{value:%-d %b}"
    return _("{day}, so far").format(day=written) if is_today else written


def _highest(days: tuple[DayUse, ...]) -> str:
    known = [each for each in days if each.used_bytes]
    if not known:
        return ""
    most = max(known, key=lambda each: each.used_bytes or 0)
    words = _("Highest: {amount} on {day}")
    return words.format(amount=amount_words((most.used_bytes or 0) / MB), day=_short_day(most.day, is_today=False))


def _today(days: tuple[DayUse, ...]) -> str:
    last = days[-1] if days and days[-1].is_today else None
    if last is None or last.used_bytes is None:
        return ""
    return _("Today so far: {amount}").format(amount=amount_words(last.used_bytes / MB))


def _top_up(top_up: TopUp) -> Fact:
    until = _("until {day}").format(day=day(top_up.expires_on)) if top_up.expires_on else _("until the month's end")
    return Fact(day(top_up.added_on), listed((amount_words(top_up.megabytes), until)))


def _planned(line: LineView) -> list[Fact]:
    found = []
    if line.snapshot.next_plan_code:
        found.append(Fact(_("Plan change"), _("from {day}").format(day=day(line.snapshot.next_plan_on))))
    if line.snapshot.ends_on:
        # The carrier names the first day without the line.
        found.append(Fact(_("The line ends"), day(line.snapshot.ends_on)))
    return found


def _change(change: LineChange) -> Fact:
    label = _(_CHANGES.get(change.kind, "A change of the line"))
    if change.has_failed:
        return Fact(label, _("The carrier did not carry it out. You can ask for it again."))
    wait = duration(max(60, (change.held_until - now()).total_seconds()), rounds_up=True)
    if change.is_at_most:
        return Fact(label, _("The line is locked for at most {wait}.").format(wait=wait))
    return Fact(label, _("Being carried out. The line is locked for {wait}.").format(wait=wait))


def _read_note(line: LineView) -> str:
    if line.as_of:
        return _("Last heard from the carrier: {time}").format(time=time(line.as_of))
    return _("Read {time}").format(time=time(line.read_at)) if line.read_at else ""
