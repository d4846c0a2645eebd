"""When a forecast is given, what it says, and how it judges itself."""

from datetime import date, timedelta

import pytest

from portal_app.domain.sim.forecast import ForecastRecord, forecast, forecast_month, record_of

TODAY = date(2026, 3, 16)


def days_until(end: date, count: int, *amounts: float) -> dict[date, float]:
    """Return days before a day; the amounts repeat."""
    return {end - timedelta(days=back): amounts[back % len(amounts)] for back in range(1, count + 1)}


def test_nothing_is_said_before_five_full_days_of_the_month() -> None:
    known = days_until(date(2026, 3, 5), 60, 100.0)
    assert forecast_month(known, date(2026, 3, 5)) is None
    assert forecast(known, date(2026, 3, 5), left=1000) is None
    assert forecast_month(known | {date(2026, 3, 5): 100.0}, date(2026, 3, 6)) is not None


@pytest.mark.parametrize(
    ("left", "verdict", "first", "last"),
    [
        (5000.0, "likely_enough", None, None),
        (0.0, "used_up", None, None),
        (-20.0, "used_up", None, None),
        (800.0, "may_run_out", date(2026, 3, 23), date(2026, 3, 23)),
    ],
)
def test_steady_days_are_told_exactly(left: float, verdict: str, first: date | None, last: date | None) -> None:
    found = forecast(days_until(TODAY, 60, 100.0), TODAY, left=left)
    assert found is not None and (found.verdict, found.first, found.last) == (verdict, first, last)
    assert found.month.expected == pytest.approx(3100)


def test_days_that_vary_give_a_range_and_no_date_where_it_is_too_wide() -> None:
    near = forecast(days_until(TODAY, 60, 80.0, 120.0, 90.0, 110.0), TODAY, left=500)
    assert near is not None and near.first is not None and near.last is not None and near.first < near.last
    wide = forecast(days_until(TODAY, 60, 10.0, 300.0, 0.0), TODAY, left=900)
    assert wide is not None and (wide.verdict, wide.first, wide.last) == ("may_run_out", None, None)


def test_what_was_used_on_days_that_nobody_read_counts() -> None:
    known = days_until(TODAY, 60, 100.0)
    read, told = forecast_month(known, TODAY), forecast_month(known, TODAY, used=2000)
    assert read is not None and told is not None and told.expected - read.expected == pytest.approx(500)


def test_a_line_without_history_is_forecast_by_this_month_alone() -> None:
    found = forecast_month(days_until(TODAY, 15, 100.0), TODAY)
    assert found is not None and found.expected == pytest.approx(3100)


def test_the_record_counts_months_that_are_known_completely() -> None:
    steady = days_until(TODAY, 200, 100.0)
    assert record_of(steady, TODAY, allowance=2000) == ForecastRecord(6, 6)
    # One day of February is not known.
    assert record_of({day: each for day, each in steady.items() if day != date(2026, 2, 3)}, TODAY, allowance=2000) == (
        ForecastRecord(5, 5)
    )
    # Used up before the 15th: nothing was forecast.
    assert record_of(steady, TODAY, allowance=900) == ForecastRecord(0, 0)
