"""What a case says of itself: who is awaited, and whether the team has seen all of it."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from portal_app.domain.support.case import SupportCase
from portal_app.domain.support.message import Entry, MessageState, Thread
from portal_app.state.support.words import seen_words, turn_of

NOW = datetime(2026, 12, 1, tzinfo=UTC)
CASE = SupportCase(
    id=UUID(int=1), number="1", subject="", category="other", about=None, status="New", is_closed=False, opened_at=NOW,
    closed_at=None, last_activity_at=NOW, last_by="customer", is_unread=False, is_seen_by_team=True, is_sent=True,
)  # fmt: skip
ANSWER = Entry("1", "comment", "team", "Mika", "Try this.", NOW)


@pytest.mark.parametrize(
    ("case", "word", "tone"),
    [
        (CASE, "With our team", "waiting"),
        (replace(CASE, last_by="team"), "Our team replied", "attention"),
        (replace(CASE, is_sent=False, is_refused=True), "Not sent", "problem"),
        (replace(CASE, is_closed=True, last_by="team"), "Closed", "neutral"),
    ],
)
def test_a_case_says_who_is_awaited(case: SupportCase, word: str, tone: str) -> None:
    turn = turn_of(case)
    assert (turn.word, turn.tone) == (word, tone)


@pytest.mark.parametrize(
    ("state", "is_seen"),
    [("read", True), ("queued", False), ("sending", False), ("sent", False), ("refused", False)],
)
def test_a_message_on_its_way_is_not_called_seen(state: str, is_seen: bool) -> None:
    own = Entry("2", "comment", "customer", "", "Thanks", NOW)
    if state != "read":
        waiting: MessageState = state  # type: ignore[assignment]
        own = replace(own, state=waiting)
    thread = Thread(CASE, (ANSWER, own), can_be_reopened=True, as_of=None)
    assert bool(seen_words(thread)) == is_seen


def test_nothing_is_called_seen_before_an_answer_or_while_comments_are_unread() -> None:
    for case, entries in ((CASE, ()), (replace(CASE, is_seen_by_team=False), (ANSWER,))):
        assert seen_words(Thread(case, entries, can_be_reopened=True, as_of=None)) == ""
