"""Whom a stopped order waits for."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from portal_app.domain.orders.order import Order
from portal_app.domain.orders.waiting import WaitsFor, waits_for
from portal_app.domain.profile.kyc_document import CheckStatus

ORDER = Order(uuid4(), uuid4(), "sim", "needs_attention", (), datetime(2026, 11, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("last_step", "check", "awaited", "words"),
    [
        ("waiting_for_card", "not_submitted", "card", "Waiting for you"),
        ("waiting_for_card#2", "verified", "card", "Waiting for you"),
        ("waiting_for_identity", "not_submitted", "document", "Waiting for you"),
        ("waiting_for_identity", "submitted", "document_check", "With our team"),
        ("waiting_for_identity", "rejected", "new_document", "Waiting for you"),
        ("waiting_for_identity#2", "verified", "team", "With our team"),
        ("failed_SIM_OUT_OF_STOCK", "not_submitted", "team", "With our team"),
        ("needs_attention", "rejected", "team", "With our team"),
        ("", "not_submitted", "team", "With our team"),
    ],
)
def test_a_stopped_order_says_who_is_awaited(last_step: str, check: CheckStatus, awaited: WaitsFor, words: str) -> None:
    assert waits_for("needs_attention", last_step, check) == awaited
    assert replace(ORDER, waits_for=awaited).stage_text == words


def test_an_order_in_progress_awaits_no_one() -> None:
    assert waits_for("being_set_up", "waiting_for_card", "not_submitted") == ""
    assert replace(ORDER, stage="being_set_up").stage_text == "Being set up"
