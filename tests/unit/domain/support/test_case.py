"""A case: until when a reply reopens it and its customer may rate it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from portal_app.domain.support.case import SupportCase

CLOSED_AT = datetime(2026, 11, 1, 9, tzinfo=UTC)


def closed(at: datetime | None) -> SupportCase:
    return SupportCase(
        id=uuid4(), number="1", subject="", category="other", about=None, status="Closed", is_closed=at is not None,
        opened_at=CLOSED_AT, closed_at=at, last_activity_at=CLOSED_AT, last_by="team", is_unread=False,
        is_seen_by_team=True, is_sent=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("age", "reopens", "rated"),
    [
        (timedelta(days=13), True, True),
        (timedelta(days=14) - timedelta(seconds=1), True, True),
        (timedelta(days=14), False, True),
        (timedelta(days=15), False, True),
        (timedelta(days=30), False, False),
    ],
)
def test_a_closed_case_is_reopened_for_some_days_and_rated_for_some_more(
    age: timedelta, reopens: bool, rated: bool
) -> None:
    case, at = closed(CLOSED_AT), CLOSED_AT + age
    assert (case.can_be_reopened(at, days=14), case.can_be_rated(at)) == (reopens, rated)


def test_an_open_case_takes_replies_and_no_rating() -> None:
    case = closed(None)
    assert (case.can_be_reopened(CLOSED_AT, days=14), case.can_be_rated(CLOSED_AT)) == (True, False)
