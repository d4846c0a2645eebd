"""When alerts fire, when they are armed again, and what counts as a newer reading."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from portal_app.domain.errors import InvalidInput
from portal_app.domain.sim.alerts import Alert, AlertState, judge_left, judge_spend
from portal_app.domain.sim.line_reading import AddedData, LineFacts, LineReading, reading_of
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.domain.sim.sim import TopUp
from portal_app.domain.sim.usage import MB

# Noon of the 10th of April in Japan.
NOON = datetime(2026, 4, 10, 3, tzinfo=UTC)
GB = 1024
ONE_GB, TENTH, OUTLOOK = Alert("left", GB, "mb"), Alert("left", 10, "percent"), Alert("forecast", 0, "none")


def days_later(count: float) -> datetime:
    return NOON + timedelta(days=count)


@dataclass(frozen=True)
class Seen:
    """What one reading tells; `fires` is what is expected of it."""

    left: int | None
    fires: bool
    at: datetime = NOON
    added_at: datetime | None = None
    runs_out: bool | None = None
    lasts: bool | None = None
    allowance: int | None = 5 * GB
    judged_at: datetime | None = None


RUNS: dict[str, tuple[Alert, list[Seen]]] = {
    "exactly on the threshold": (ONE_GB, [Seen(GB, True)]),
    "one above": (ONE_GB, [Seen(GB + 1, False)]),
    "unknown is no crossing": (ONE_GB, [Seen(None, False)]),
    "nothing left": (ONE_GB, [Seen(0, True)]),
    "twenty below, one alert": (ONE_GB, [Seen(GB - n, n == 0, days_later(n / 100)) for n in range(20)]),
    "an older reading is ignored": (ONE_GB, [Seen(2 * GB, False, days_later(1)), Seen(100, False, NOON)]),
    "the same moment again is ignored": (ONE_GB, [Seen(2 * GB, False), Seen(100, False)]),
    "a small rise does not arm": (
        ONE_GB,
        [Seen(GB, True), Seen(1075, False, days_later(1)), Seen(GB, False, days_later(2))],
    ),
    "a rise of 5 % arms": (
        ONE_GB,
        [Seen(GB, True), Seen(1076, False, days_later(1)), Seen(GB, True, days_later(2))],
    ),
    "a top-up arms, also where little is left": (
        ONE_GB,
        [Seen(10, True), Seen(900, True, days_later(2), added_at=days_later(1)), Seen(800, False, days_later(3))],
    ),
    "a top-up from before it fired does not arm": (
        ONE_GB,
        [Seen(10, True, added_at=days_later(-1)), Seen(9, False, days_later(1), added_at=days_later(-1))],
    ),
    "a new month in Japan arms": (
        ONE_GB,
        [
            Seen(10, True, datetime(2026, 4, 30, 14, 59, tzinfo=UTC)),
            Seen(5, True, datetime(2026, 4, 30, 15, tzinfo=UTC)),
            Seen(4, False, datetime(2026, 4, 30, 15, 1, tzinfo=UTC)),
        ],
    ),
    "a reading of the last month tells nothing of this one": (
        ONE_GB,
        [
            Seen(10, False, datetime(2026, 4, 29, 15, tzinfo=UTC), judged_at=datetime(2026, 4, 30, 15, tzinfo=UTC)),
            Seen(10, True, datetime(2026, 4, 30, 15, 1, tzinfo=UTC)),
        ],
    ),
    "a tenth, exactly": (TENTH, [Seen(512, True)]),
    "more than a tenth": (TENTH, [Seen(513, False)]),
    "a share of an unknown plan is judged once the plan is known": (
        TENTH,
        [Seen(1, False, allowance=None), Seen(1, True)],
    ),
    "the forecast": (
        OUTLOOK,
        [
            Seen(GB, False, runs_out=False),
            Seen(GB, True, days_later(1), runs_out=True, lasts=False),
            # Near the border it says yes and no by turns.
            Seen(GB, False, days_later(2), runs_out=False, lasts=False),
            Seen(GB, False, days_later(3), runs_out=True, lasts=False),
            Seen(GB, False, days_later(4), runs_out=False, lasts=True),
            Seen(GB, True, days_later(5), runs_out=True, lasts=False),
        ],
    ),
    "no forecast": (OUTLOOK, [Seen(GB, False)]),
}


@pytest.mark.parametrize("name", RUNS)
def test_an_alert_fires_once_for_each_crossing(name: str) -> None:
    alert, seen = RUNS[name]
    state, fired = AlertState(), []
    for each in seen:
        reading = LineReading(
            each.at, each.left, each.allowance, runs_out=each.runs_out, lasts=each.lasts, added_at=each.added_at
        )
        judged = judge_left(alert, state, reading, at=each.judged_at or each.at)
        state = judged.state
        fired.append(judged.fires)
    assert fired == [each.fires for each in seen]


def test_money_is_told_once_a_month_in_japan() -> None:
    alert, state, fired = Alert("spend", 1100, "yen"), AlertState(), []
    for spent, at in (
        (1099, NOON), (1100, NOON), (2200, days_later(1)), (0, days_later(21)), (1100, days_later(22)),
    ):  # fmt: skip
        judged = judge_spend(alert, state, spent, at=at)
        state = judged.state
        fired.append(judged.fires)
    assert fired == [False, True, False, False, True]


@pytest.mark.parametrize(
    ("kind", "amount", "unit", "field"),
    [
        ("left", 99, "mb", "amount"), ("left", 51_201, "mb", "amount"), ("left", 0.5, "mb", "amount"),
        ("left", "1e3", "mb", "amount"), ("left", None, "mb", "amount"), ("left", True, "mb", "amount"),
        ("left", 0, "percent", "amount"), ("left", 100, "percent", "amount"), ("left", 5, "yen", "unit"),
        ("spend", -1, "yen", "amount"), ("spend", 10**9, "yen", "amount"), ("spend", 5, "mb", "unit"),
        ("forecast", 1, "none", "amount"), ("calls", 1, "yen", "kind"),
    ],
)  # fmt: skip
def test_other_alerts_are_refused(kind: str, amount: Any, unit: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Alert.parse(kind, amount, unit)
    assert list(refused.value.fields) == [field]
    assert Alert.parse("left", "１００", "mb") == Alert("left", 100, "mb")


@dataclass(frozen=True)
class Stored:
    """What is stored of a line, and what is left by it."""

    left: int | None
    told: dict[str, Any] | None = None
    days: dict[int, int] = field(default_factory=dict)
    added: list[AddedData] = field(default_factory=list)
    allowance: int | None = 5 * GB
    at: datetime = datetime(2026, 4, 9, 15, tzinfo=UTC)


TOLD = {"left_mb": 3000, "today_bytes": 100 * MB, "told_at": days_later(-2), "top_ups": ()}
READINGS = {
    "a visit alone": Stored(3000, TOLD, at=days_later(-2)),
    "days since the visit, its own less what was used before it": Stored(2300, TOLD, {8: 300, 9: 500}),
    "data added since": Stored(3324, TOLD, {8: 300, 9: 500}, [AddedData(days_later(-1), 1024)]),
    "data added before are in what was told": Stored(2300, TOLD, {8: 300, 9: 500}, [AddedData(days_later(-3), 1024)]),
    "never below nothing": Stored(0, TOLD, {8: 300, 9: 5000}),
    "the visit told no data left: the days of the month": Stored(
        4120, {"told_at": days_later(-2), "left_mb": None, "top_ups": ()}, {7: 500, 9: 500}
    ),
    "a file alone": Stored(5 * GB - 1000, None, {**dict.fromkeys(range(1, 10), 100), 9: 200}),
    "a file and an unknown plan": Stored(None, None, {9: 200}, allowance=None),
    "a visit of the last month, with data that live on": Stored(
        5 * GB + 512 - 900,
        {"left_mb": 1, "told_at": days_later(-20), "top_ups": (TopUp(512, "", date(2026, 3, 20), date(2026, 4, 30)),)},
        {9: 900},
    ),
    "the last day of a month is read on the first": Stored(
        5 * GB, TOLD | {"told_at": days_later(-12)}, {0: 900}, at=datetime(2026, 3, 31, 15, tzinfo=UTC)
    ),
}


@pytest.mark.parametrize("name", READINGS)
def test_what_is_left_follows_from_the_last_visit_and_the_days_since(name: str) -> None:
    stored = READINGS[name]
    days = {date(2026, 3, 31) + timedelta(days=number): used * MB for number, used in stored.days.items()}
    snapshot = LineSnapshot(state="active", **(stored.told or {}))
    reading = reading_of(LineFacts(snapshot, stored.allowance, days, stored.added))
    assert reading is not None
    assert (reading.left_mb, reading.at) == (stored.left, stored.at)


def test_a_line_of_which_nothing_is_known_has_no_reading() -> None:
    assert reading_of(LineFacts(LineSnapshot(), 5 * GB, {})) is None


@pytest.mark.parametrize(("left", "runs_out", "lasts"), [(10_000, False, True), (1500, True, False), (0, True, False)])
def test_the_forecast_is_that_of_the_page(left: int, runs_out: bool, lasts: bool) -> None:
    days = {date(2026, 4, number): 100 * MB for number in range(1, 10)}
    snapshot = LineSnapshot(state="active", left_mb=left, told_at=NOON)
    reading = reading_of(LineFacts(snapshot, 5 * GB, days), with_forecast=True)
    assert reading is not None
    assert (reading.runs_out, reading.lasts) == (runs_out, lasts)
