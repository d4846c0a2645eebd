"""Business hours: Japan's holidays, time counted in hours of work, and moments so much later."""

from datetime import date, datetime, time, timedelta

import pytest

from portal_app.domain.support.business_hours import BusinessHours
from portal_app.domain.support.holidays import is_holiday
from portal_app.language.format import JAPAN

HOURS = BusinessHours(time(10), time(18))
# As published by the Cabinet Office.
HOLIDAYS = {
    2026: "1/1 1/12 2/11 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/20 8/11 9/21 9/22 9/23 10/12 11/3 11/23",
    2027: "1/1 1/11 2/11 2/23 3/21 3/22 4/29 5/3 5/4 5/5 7/19 8/11 9/20 9/23 10/11 11/3 11/23",
}


@pytest.mark.parametrize("year", HOLIDAYS)
def test_holidays_are_those_that_the_cabinet_office_publishes(year: int) -> None:
    days = (date(year, 1, 1) + timedelta(days=number) for number in range(365))
    assert " ".join(f"{day.month}/{day.day}" for day in days if is_holiday(day)) == HOLIDAYS[year]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=JAPAN)


@pytest.mark.parametrize(
    ("begin", "end", "hours"),
    [
        ("11-30T11:00", "11-30T12:30", 1.5),
        ("11-30T08:00", "11-30T20:00", 8),
        ("11-27T17:00", "11-30T11:00", 2),
        ("11-20T17:00", "11-24T11:00", 2),
        ("11-28T10:00", "11-29T18:00", 0),
        ("11-30T12:00", "11-30T11:00", 0),
    ],
)
def test_time_is_counted_in_hours_of_work(begin: str, end: str, hours: float) -> None:
    assert HOURS.seconds_between(at(begin), at(end)) == hours * 3600


@pytest.mark.parametrize(
    ("begin", "hours", "end"),
    [
        ("11-30T11:00", 2, "11-30T13:00"),
        ("11-30T17:00", 2, "12-01T11:00"),
        ("11-20T19:00", 1, "11-24T11:00"),
        ("11-28T12:00", 8, "11-30T18:00"),
        ("11-30T07:00", 0, "11-30T10:00"),
    ],
)
def test_a_moment_so_many_hours_of_work_later(begin: str, hours: int, end: str) -> None:
    assert HOURS.after(at(begin), hours * 3600) == at(end)
