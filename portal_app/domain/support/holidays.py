"""Japan's public holidays, by the Act on National Holidays as in force since 2020."""

from datetime import date, timedelta
from functools import cache

_FIXED = ((1, 1), (2, 11), (2, 23), (4, 29), (5, 3), (5, 4), (5, 5), (8, 11), (11, 3), (11, 23))
# Month, and which of its Mondays.
_MONDAYS = ((1, 2), (7, 3), (9, 3), (10, 2))
_DAY = timedelta(days=1)


def is_holiday(day: date) -> bool:
    """Return whether a day is a public holiday in Japan."""
    return day in _holidays_of(day.year)


@cache
def _holidays_of(year: int) -> frozenset[date]:
    found = {date(year, month, day) for month, day in _FIXED}
    found |= {_monday(year, month, number) for month, number in _MONDAYS}
    found |= {date(year, 3, _equinox(year, 20.8431)), date(year, 9, _equinox(year, 23.2488))}
    # A day between two holidays is one (article 3.3).
    found |= {day + _DAY for day in found if day + 2 * _DAY in found and (day + _DAY).weekday() != 6}
    # For one on a Sunday, the next day without one is a holiday (article 3.2).
    for sunday in sorted(day for day in found if day.weekday() == 6):
        instead = sunday
        while instead in found:
            instead += _DAY
        found.add(instead)
    return frozenset(found)


def _monday(year: int, month: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(7 - first.weekday()) % 7 + 7 * (number - 1))


def _equinox(year: int, base: float) -> int:
    """Return the day of the month of an equinox, by the usual formula for 1980 to 2099."""
    passed = year - 1980
    return int(base + 0.242194 * passed) - passed // 4
