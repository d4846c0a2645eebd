"""The end of a service: the day it falls on, what a customer asked for, and where that stands."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from portal_app.domain.catalog.plan import Category
from portal_app.domain.errors import InvalidInput
from portal_app.language.format import JAPAN

# scheduled: held here, can be withdrawn. sending: WHMCS is being told. sent: nothing withdraws it any more.
CancellationState = Literal["scheduled", "withdrawn", "sending", "sent", "ended", "refused"]
OPEN_STATES: tuple[CancellationState, ...] = ("scheduled", "sending", "sent")
Reason = Literal["moving", "price", "quality", "provider", "unused", "other"]
REASONS: dict[Reason, str] = {
    "moving": "I am moving or leaving Japan",
    "price": "It costs too much",
    "quality": "It does not work well enough",
    "provider": "I am changing to another provider",
    "unused": "I do not need it any more",
    "other": "Another reason",
}
MOST_COMMENT = 500


@dataclass(frozen=True, slots=True)
class CancellationSchedule:
    """When a service ends if it is cancelled: its last day in Japan, and until when that can be withdrawn (UTC)."""

    ends_on: date
    sends_at: datetime

    @property
    def withdraw_until(self) -> date:
        """The last day in Japan on which it can be withdrawn."""
        return _day_before(self.sends_at)


@dataclass(frozen=True, slots=True)
class CancellationFeedback:
    """What a customer says when cancelling."""

    reason: Reason
    comment: str = ""

    @classmethod
    def parse(cls, reason: str, comment: str = "") -> "CancellationFeedback":
        """Check what was entered. Raises InvalidInput naming the fields."""
        wrong: dict[str, str] = {}
        comment = " ".join(comment.split())
        known = next((each for each in get_args(Reason) if each == reason), None)
        if known is None:
            wrong["reason"] = "Choose a reason."
        if len(comment) > MOST_COMMENT:
            wrong["comment"] = "Write at most 500 characters."
        if known is None or wrong:
            raise InvalidInput(wrong)
        return cls(known, comment)


@dataclass(frozen=True, slots=True)
class CancellationRequest:
    """A customer's word to end one service, as the portal holds it."""

    id: UUID
    service_id: int
    service_name: str
    category: Category
    reason: Reason
    comment: str
    state: CancellationState
    ends_on: date
    sends_at: datetime
    asked_at: datetime
    changed_at: datetime

    @property
    def is_open(self) -> bool:
        """Say whether the service is on its way out."""
        return self.state in OPEN_STATES

    def can_be_withdrawn(self, at: datetime) -> bool:
        """Say whether the customer can still take it back at a moment."""
        return self.state == "scheduled" and at < self.sends_at

    @property
    def withdraw_until(self) -> date:
        """The last day in Japan on which it can be withdrawn."""
        return _day_before(self.sends_at)

    @property
    def reason_text(self) -> str:
        """The reason as agents read it."""
        return f"{REASONS[self.reason]}: {self.comment}" if self.comment else REASONS[self.reason]


def cancellation_schedule(asked_at: datetime, *, cut_off: int) -> CancellationSchedule:
    """Return when a service ends that is cancelled at a moment.

    Asked for in Japan until the cut-off day of a month, it ends with that month; later, with the next one. It can be
    withdrawn until the cut-off day of the month it ends with is over.
    """
    day = asked_at.astimezone(JAPAN).date()
    first = day.replace(day=1)
    if day.day > cut_off:
        first = (first + timedelta(days=31)).replace(day=1)
    ends_on = first.replace(day=monthrange(first.year, first.month)[1])
    midnight = datetime.combine(first + timedelta(days=cut_off), datetime.min.time(), JAPAN)
    return CancellationSchedule(ends_on, midnight.astimezone(UTC))


def _day_before(midnight: datetime) -> date:
    return (midnight - timedelta(microseconds=1)).astimezone(JAPAN).date()


@dataclass(frozen=True, slots=True)
class CancellationRequester:
    """Who asks to cancel or to keep a service: in which session, once per key, and where their mail goes."""

    session_id: UUID
    key: str
    recipient: str
