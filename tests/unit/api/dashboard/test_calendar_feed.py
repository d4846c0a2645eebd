"""The calendar feed: names are escaped, whatever line breaks and properties they contain."""

from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest

from portal_app.api.dashboard.calendar_feed import written
from portal_app.domain.dashboard.calendar import CalendarEntry, CalendarFeed
from tests.support.values.hostile import LINES, MARKUP, STATEMENTS

PROPERTIES = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "URL", "TRANSP"}


@pytest.mark.parametrize("name", [*LINES, *MARKUP, *STATEMENTS, "x\rATTACH:http://evil.example", "x\x85\u2028URL:evil"])
def test_a_name_adds_no_line_property_or_event(name: str) -> None:
    entry = CalendarEntry("renewal", 7, name, date(2026, 12, 1))
    feed = written(CalendarFeed("en", (entry,), datetime(2026, 11, 1, tzinfo=UTC)), "https://portal.example.jp")
    lines = feed.split(b"\r\n")
    assert all(len(line) <= 75 and not {10, 13} & set(line) for line in lines)
    (event,) = icalendar.Calendar.from_ical(feed).walk("VEVENT")
    assert set(event) == PROPERTIES and not event.errors
    assert str(event["url"]) == "https://portal.example.jp/subscriptions/7"
    unfolded = feed.replace(b"\r\n ", b"")
    assert (
        unfolded.count(b"\r\nBEGIN:") == 3
        and unfolded.count(b"\r\nBEGIN:VTIMEZONE") == 1
        and b"\r\nATTENDEE" not in unfolded
    )


def test_a_feed_without_days_has_a_component() -> None:
    feed = written(CalendarFeed("ja", (), datetime(2026, 11, 1, tzinfo=UTC)), "https://portal.example.jp")
    calendar = icalendar.Calendar.from_ical(feed)
    (zone,) = calendar.subcomponents
    assert (zone.name, str(zone["tzid"]), calendar.errors) == ("VTIMEZONE", "Asia/Tokyo", [])
    assert zone.to_tz().utcoffset(datetime(2026, 7, 1)) == timedelta(hours=9)
