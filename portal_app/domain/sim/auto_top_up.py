"""Automatic top-up of a line: what the customer agreed to, when it starts, and what turns it off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from portal_app.domain.money import Money
from portal_app.domain.sim.alerts import LEAST_MB, MOST_MB, MOST_YEN, parse_whole
from portal_app.domain.sim.line_reading import LineReading, month_begin, month_of, next_month
from portal_app.domain.sim.top_up import ENDED, TopUpReason, TopUpState, parse_gigabytes

# Why it is off: the customer turned it off, or what became of a purchase.
AutoOff = Literal["", "you", "declined", "no_card", "price_changed", "stopped", "with_team"]
Decision = Literal["start", "off", "enough", "unknown", "old_reading", "under_way", "month_end", "cap", "price_changed"]
# A cap is offered as so many top-ups.
_TIMES = (1, 2, 3, 5, 10)
_WRONG_THRESHOLD = "Choose {least} to {most} MB, in whole MB."
_WRONG_CAP = "Choose {least} to {most} yen, in whole yen: at least what one top-up costs."
_OFF_REASONS: dict[TopUpReason, AutoOff] = {
    "declined": "declined", "no_card": "no_card", "price_changed": "price_changed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AutoTopUp:
    """What a customer agreed to: so many GB for `total` with tax, at so much left, at most `cap` in a month."""

    gigabytes: int
    threshold_mb: int
    total: Money
    cap: Money
    is_on: bool = True
    off_reason: AutoOff = ""

    @classmethod
    def parse(
        cls, gigabytes: object, threshold_mb: object, cap: object, *, price: Callable[[int], Money]
    ) -> "AutoTopUp":
        """Read a choice; `price` says what an amount costs with tax. Raises InvalidInput."""
        amount = parse_gigabytes(gigabytes)
        total = price(amount)
        threshold = parse_whole(threshold_mb, "threshold_mb", _WRONG_THRESHOLD, least=LEAST_MB, most=MOST_MB)
        most = parse_whole(cap, "cap", _WRONG_CAP, least=total.minor, most=max(MOST_YEN, total.minor))
        return cls(amount, threshold, total, Money(most, total.currency))


@dataclass(frozen=True, slots=True)
class AutoWish:
    """What a customer typed or chose, and the total with tax that was shown for one top-up."""

    gigabytes: object
    threshold_mb: object
    cap: object
    agreed: int


@dataclass(frozen=True, slots=True)
class AutoStanding:
    """The choice for a line, None where there never was one, and what counts against its cap this month."""

    choice: AutoTopUp | None
    spent: Money


@dataclass(frozen=True, slots=True)
class PastTopUp:
    """One purchase of a line as it counts for the next: made by hand or by itself."""

    state: TopUpState
    total: int
    asked_at: datetime
    paid_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class AutoLimits:
    """How old a reading may be, and how long before a month ends nothing is bought any more."""

    reading: timedelta
    month_end: timedelta


def cap_choices(total: Money) -> list[Money]:
    """Return the caps that are offered for the price of one top-up: each can be chosen."""
    return [total * times for times in _TIMES if times == 1 or (total * times).minor <= MOST_YEN]


def decide(
    choice: AutoTopUp, reading: LineReading | None, past: Sequence[PastTopUp], limits: AutoLimits, *, at: datetime
) -> Decision:
    """Say whether data are bought now by itself, or why not. `past` are the line's purchases of this and last month."""
    if not choice.is_on:
        return "off"
    if reading is None or reading.left_mb is None:
        return "unknown"
    if reading.left_mb > choice.threshold_mb:
        return "enough"
    month = month_of(at)
    if any(each.state not in ENDED or _is_owed(each, month) for each in past):
        return "under_way"
    newest = max((each.delivered_at or each.asked_at for each in past), default=None)
    is_old = reading.at < at - limits.reading or month_of(reading.at) != month
    if is_old or (newest is not None and reading.at <= newest):
        return "old_reading"
    if at >= month_begin(next_month(month)) - limits.month_end:
        return "month_end"
    return "start" if spent_in(past, month, with_open=True) + choice.total.minor <= choice.cap.minor else "cap"


def spent_in(past: Sequence[PastTopUp], month: date, *, with_open: bool = False) -> int:
    """Return what a month's purchases cost with tax; `with_open` counts those that may still be charged."""
    return sum(
        each.total
        for each in past
        if (each.paid_at is not None or (with_open and each.state not in ENDED))
        and month_of(each.paid_at or each.asked_at) == month
    )


def off_reason(state: TopUpState, reason: TopUpReason) -> AutoOff:
    """Say why a purchase that started by itself turns the choice off; empty where it does not.

    One that stopped because billing was away is tried again with the next reading.
    """
    if state == "confirm":
        return "declined"
    if state in ("with_team", "unclear"):
        return "with_team"
    if state != "stopped" or reason == "too_late":
        return ""
    return _OFF_REASONS.get(reason, "stopped")


def _is_owed(past: PastTopUp, month: date) -> bool:
    """Say whether data of this month were paid and not added: our team adds them, or pays back."""
    return past.state == "with_team" and past.paid_at is not None and month_of(past.paid_at) == month
