"""The forecast beats plain pace on generated lines, as the benchmark measures it."""

import pytest

from benchmarks.forecasting import SERIES, Series, measure


@pytest.mark.parametrize("series", SERIES, ids=lambda series: series.name)
def test_the_forecast_is_nearer_than_plain_pace(series: Series) -> None:
    for day, most in series.most:
        assert measure(series, day).ratio <= most, day


def test_the_band_holds_about_four_of_five_and_days_are_near() -> None:
    errors = measure(SERIES[1], 15)
    assert 0.74 <= errors.held <= 0.88
    assert errors.within_two_days >= 0.72
