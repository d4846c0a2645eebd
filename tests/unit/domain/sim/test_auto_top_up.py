"""When data are bought by themselves, and what turns that off."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal_app.domain.errors import InvalidInput
from portal_app.domain.money import Money
from portal_app.domain.sim.auto_top_up import (
    AutoLimits,
    AutoTopUp,
    PastTopUp,
    cap_choices,
    decide,
    off_reason,
    spent_in,
)
from portal_app.domain.sim.line_reading import LineReading, month_of
from portal_app.domain.sim.top_up import TopUpReason, TopUpState

NOON = datetime(2026, 4, 10, 3, tzinfo=UTC)
CHOICE = AutoTopUp(2, 1024, Money(1100), Money(3300))
LOW = LineReading(NOON, 1024, 5120)
LIMITS = AutoLimits(timedelta(hours=36), timedelta(hours=6))
PAID = PastTopUp("done", 1100, NOON - timedelta(days=2), NOON - timedelta(days=2), NOON - timedelta(days=2))


def changed(**values: Any) -> PastTopUp:
    return replace(PAID, **values)


def ago(**span: float) -> datetime:
    return NOON - timedelta(**span)


LATE = datetime(2026, 4, 30, 9, tzinfo=UTC)
# The choice, the reading, the purchases before, the moment, what is decided.
CASES: dict[str, tuple[AutoTopUp, LineReading | None, list[PastTopUp], datetime, str]] = {
    "exactly on the threshold": (CHOICE, LOW, [], NOON, "start"),
    "more is left": (CHOICE, replace(LOW, left_mb=1025), [], NOON, "enough"),
    "it is off": (replace(CHOICE, is_on=False), LOW, [], NOON, "off"),
    "nothing was read": (CHOICE, None, [], NOON, "unknown"),
    "what is left is unknown": (CHOICE, replace(LOW, left_mb=None), [], NOON, "unknown"),
    "a reading of 36 hours ago": (CHOICE, replace(LOW, at=ago(hours=36)), [], NOON, "start"),
    "an older reading": (CHOICE, replace(LOW, at=ago(hours=36, seconds=1)), [], NOON, "old_reading"),
    "a reading of the last month": (
        CHOICE, replace(LOW, at=datetime(2026, 3, 31, 14, tzinfo=UTC)), [], datetime(2026, 3, 31, 16, tzinfo=UTC),
        "old_reading",
    ),
    "a reading from before the last data came": (
        CHOICE, LOW, [changed(delivered_at=NOON)], NOON + timedelta(hours=1), "old_reading",
    ),
    "a reading from before a purchase that was stopped": (
        CHOICE, replace(LOW, at=ago(days=1)),
        [changed(state="stopped", paid_at=None, delivered_at=None, asked_at=NOON)], NOON, "old_reading",
    ),
    "one is under way": (CHOICE, LOW, [changed(state="charging", paid_at=None, delivered_at=None)], NOON, "under_way"),
    "one is paid and not delivered": (CHOICE, LOW, [changed(state="paid", delivered_at=None)], NOON, "under_way"),
    "data are owed": (CHOICE, LOW, [changed(state="with_team", delivered_at=None)], NOON, "under_way"),
    "two by hand, and a third within the cap": (CHOICE, LOW, [PAID, PAID], NOON, "start"),
    "the cap is reached": (CHOICE, LOW, [PAID, PAID, PAID], NOON, "cap"),
    "what was bought last month does not count": (
        CHOICE, LOW, [changed(asked_at=ago(days=20), paid_at=ago(days=20), delivered_at=ago(days=20)), PAID, PAID],
        NOON, "start",
    ),
    "what was stopped does not count": (
        CHOICE, LOW, [PAID, PAID, changed(state="stopped", paid_at=None)], NOON, "start",
    ),
    "six hours before the month ends": (CHOICE, replace(LOW, at=LATE), [], LATE, "month_end"),
    "a second before that": (CHOICE, replace(LOW, at=LATE), [], LATE - timedelta(seconds=1), "start"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_data_are_bought_only_by_a_fresh_reading_within_the_cap(name: str) -> None:
    choice, reading, past, at, decision = CASES[name]
    assert decide(choice, reading, past, LIMITS, at=at) == decision


OFF: list[tuple[TopUpState, TopUpReason, str]] = [
    ("confirm", "declined", "declined"), ("stopped", "declined", "declined"), ("stopped", "no_card", "no_card"),
    ("stopped", "price_changed", "price_changed"), ("stopped", "invoice_gone", "stopped"),
    ("stopped", "line_not_active", "stopped"), ("stopped", "refused", "stopped"), ("stopped", "too_late", ""),
    ("unclear", "unclear", "with_team"), ("with_team", "not_delivered", "with_team"), ("done", "", ""),
    ("paid", "", ""), ("charging", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("state", "reason", "off"), OFF)
def test_one_no_turns_it_off_and_an_outage_does_not(state: TopUpState, reason: TopUpReason, off: str) -> None:
    assert off_reason(state, reason) == off


def test_a_payment_counts_for_the_month_it_was_made_in() -> None:
    over = changed(asked_at=datetime(2026, 4, 30, 14, tzinfo=UTC), paid_at=datetime(2026, 4, 30, 16, tzinfo=UTC))
    unpaid = changed(state="invoiced", paid_at=None, delivered_at=None)
    april, may = month_of(NOON), month_of(datetime(2026, 5, 1, tzinfo=UTC))
    assert [spent_in([PAID, over, unpaid], each) for each in (april, may)] == [1100, 1100]
    assert spent_in([PAID, over, unpaid], april, with_open=True) == 2200


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ((0, 1024, 3300), "gigabytes"), ((51, 1024, 3300), "gigabytes"), ((2, 99, 3300), "threshold_mb"),
        ((2, 51_201, 3300), "threshold_mb"), ((2, 0.5, 3300), "threshold_mb"), ((2, 1024, 1099), "cap"),
        ((2, 1024, 100_001), "cap"), ((2, 1024, "1e4"), "cap"), ((2, 1024, None), "cap"),
    ],
)  # fmt: skip
def test_a_cap_below_one_purchase_and_other_amounts_are_refused(wish: tuple[Any, Any, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        AutoTopUp.parse(*wish, price=lambda gigabytes: Money(550 * gigabytes))
    assert list(refused.value.fields) == [field]
    assert AutoTopUp.parse("２", "1024", 1100, price=lambda gigabytes: Money(550 * gigabytes)).cap == Money(1100)


@pytest.mark.parametrize("price", [550, 40_000, 110_000])
def test_each_cap_that_is_offered_can_be_chosen(price: int) -> None:
    for gigabytes in (1, 19, 50):
        caps = cap_choices(Money(price * gigabytes))
        chosen = [AutoTopUp.parse(gigabytes, 1024, cap.minor, price=lambda each: Money(price * each)) for cap in caps]
        assert [each.cap for each in chosen] == caps and caps
