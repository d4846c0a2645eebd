"""Cancellation of a service: the request, its state and its dates."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from portal_app.domain.catalog.plan import Category
from portal_app.domain.errors import InvalidInput
from portal_app.language.format import JAPAN

# scheduled: stored in the portal only, can be withdrawn. sending: WHMCS is being called. sent: final.
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
    """The dates of a cancellation: last day of the service (Japan), and when it is sent to WHMCS (UTC).

    It can be withdrawn until it is sent.
    """

    ends_on: date
    sends_at: datetime

    @property
    def withdraw_until(self) -> date:
        """The last day (Japan) on which it can be withdrawn."""
        return _day_before(self.sends_at)


@dataclass(frozen=True, slots=True)
class CancellationFeedback:
    """A customer's reason and comment."""

    reason: Reason
    comment: str = ""

    @classmethod
    def parse(cls, reason: str, comment: str = "") -> "CancellationFeedback":
        """Parse reason and comment. Raises InvalidInput with the invalid fields."""
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

    def fingerprint(self, service_id: int) -> str:
        """The content of a cancellation, for its idempotency key."""
        return f"{service_id}:{self.reason}:{self.comment}"


@dataclass(frozen=True, slots=True)
class CancellationRequest:
    """A customer's request to cancel one service."""

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
        """Whether the request is neither withdrawn, refused nor completed."""
        return self.state in OPEN_STATES

    def can_be_withdrawn(self, at: datetime) -> bool:
        """Return whether the customer can withdraw the request at a time."""
        return self.state == "scheduled" and at < self.sends_at

    @property
    def withdraw_until(self) -> date:
        """The last day (Japan) on which it can be withdrawn."""
        return _day_before(self.sends_at)

    @property
    def reason_text(self) -> str:
        """The reason and comment, for agents."""
        return f"{REASONS[self.reason]}: {self.comment}" if self.comment else REASONS[self.reason]


def cancellation_schedule(asked_at: datetime, *, cut_off: int) -> CancellationSchedule:
    """Return the dates of a cancellation requested at a time.

    A request until the end of the cut-off day (Japan) ends the service with that month, a later one with the next
    month. It can be withdrawn until the end of the cut-off day of that month.
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
    """The requester of a cancellation or withdrawal: session and recipient of the mail."""

    session_id: UUID
    recipient: str
