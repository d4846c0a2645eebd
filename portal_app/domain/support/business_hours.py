"""The hours in which support answers, and time counted in them alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from portal_app.domain.support.holidays import is_holiday
from portal_app.language.format import JAPAN

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """Hours of every working day in Japan."""

    opens: time
    closes: time

    def seconds_between(self, begin: datetime, end: datetime) -> int:
        """Return the seconds of business hours from one moment to another."""
        spans = self._days(begin.astimezone(JAPAN).date(), end.astimezone(JAPAN).date())
        shares = ((min(end, closes) - max(begin, opens)).total_seconds() for opens, closes in spans)
        return int(sum(max(0.0, share) for share in shares))

    def after(self, begin: datetime, seconds: int) -> datetime:
        """Return the moment at which so many seconds of business hours have passed since another."""
        first, left = begin.astimezone(JAPAN).date(), float(seconds)
        for opens, closes in self._days(first, first + timedelta(days=366)):
            share = max(0.0, (closes - max(begin, opens)).total_seconds())
            if share >= left and share:
                return max(begin, opens) + timedelta(seconds=left)
            left -= share
        return begin + timedelta(days=366)

    def _days(self, first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
        day = first
        while day <= last:
            if day.weekday() < _SATURDAY and not is_holiday(day):
                yield (
                    datetime.combine(day, self.opens, JAPAN),
                    datetime.combine(day, self.closes, JAPAN),
                )
            day += timedelta(days=1)
