"""The day a cancelled service ends on: by Japan's calendar, whatever UTC says."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_app.domain.errors import InvalidInput
from portal_app.domain.notifications.preference import TopicPreference, parse_topic
from portal_app.domain.subscriptions.cancellation import CancellationFeedback, cancellation_schedule
from portal_app.language.format import JAPAN


def in_japan(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JAPAN).astimezone(UTC)


@pytest.mark.parametrize(
    ("asked", "last_day", "withdraw_until"),
    [
        ("2026-11-01T00:00", date(2026, 11, 30), date(2026, 11, 25)),
        # In UTC this is still the 24th, and then the 25th.
        ("2026-11-25T00:00", date(2026, 11, 30), date(2026, 11, 25)),
        ("2026-11-25T23:59", date(2026, 11, 30), date(2026, 11, 25)),
        ("2026-11-26T00:00", date(2026, 12, 31), date(2026, 12, 25)),
        ("2026-12-25T23:59", date(2026, 12, 31), date(2026, 12, 25)),
        ("2026-12-26T00:00", date(2027, 1, 31), date(2027, 1, 25)),
        ("2026-12-31T23:59", date(2027, 1, 31), date(2027, 1, 25)),
        ("2027-01-31T12:00", date(2027, 2, 28), date(2027, 2, 25)),
        ("2028-01-26T08:00", date(2028, 2, 29), date(2028, 2, 25)),
    ],
)
def test_until_the_25th_in_japan_the_month_is_the_last_and_later_the_next_one(
    asked: str, last_day: date, withdraw_until: date
) -> None:
    ending = cancellation_schedule(in_japan(asked), cut_off=25)
    assert (ending.ends_on, ending.withdraw_until) == (last_day, withdraw_until)
    assert ending.sends_at == in_japan(f"{withdraw_until}T00:00") + timedelta(days=1)


@given(
    asked=st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)), cut_off=st.integers(1, 28)
)
def test_any_cancellation_ends_with_a_month_and_can_be_withdrawn_at_first(asked: datetime, cut_off: int) -> None:
    ending = cancellation_schedule(asked, cut_off=cut_off)
    day = asked.astimezone(JAPAN).date()
    assert ending.ends_on.day == monthrange(ending.ends_on.year, ending.ends_on.month)[1]
    assert day <= ending.ends_on <= day + timedelta(days=62)
    assert asked < ending.sends_at and ending.withdraw_until <= ending.ends_on
    assert (ending.ends_on.month == day.month) == (day.day <= cut_off)


def test_a_cancellation_says_why_in_one_of_our_words_and_not_at_length() -> None:
    assert CancellationFeedback.parse("price", "  too \n much ").comment == "too much"
    for reason, comment, field in (("", "", "reason"), ("nonsense", "", "reason"), ("price", "x" * 501, "comment")):
        with pytest.raises(InvalidInput) as wrong:
            CancellationFeedback.parse(reason, comment)
        assert set(wrong.value.fields) == {field}


def test_mandatory_topics_cannot_be_turned_off() -> None:
    assert TopicPreference("billing").changed(mail=False) == TopicPreference("billing", mail=False)
    assert TopicPreference("services").changed(portal=False) == TopicPreference("services", portal=False)
    for topic, way in (("services", "mail"), ("security", "mail"), ("security", "portal")):
        with pytest.raises(InvalidInput):
            TopicPreference(parse_topic(topic)).changed(**{way: False})
