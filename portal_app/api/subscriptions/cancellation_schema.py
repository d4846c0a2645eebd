"""What the API shows of a cancellation."""

from datetime import date, datetime
from uuid import UUID

from typing_extensions import TypedDict

from portal_app.domain.subscriptions.cancellation import CancellationRequest, CancellationSchedule


class CancellationView(TypedDict):
    """The newest cancellation of a service.

    `state`: scheduled (held, can be withdrawn before `sends_at`), withdrawn, sending, sent (final), ended, refused (our
    team sees to it). `ends_on` and `withdraw_until` are days in Japan.
    """

    id: UUID
    service_id: int
    state: str
    reason: str
    comment: str
    ends_on: date
    withdraw_until: date
    sends_at: datetime
    asked_at: datetime
    changed_at: datetime


class EndingView(TypedDict):
    """When a service would end if it were cancelled now, and the last day to take that back; days in Japan."""

    ends_on: date
    withdraw_until: date


def cancellation(request: CancellationRequest) -> CancellationView:
    """Show a cancellation."""
    return {
        "id": request.id,
        "service_id": request.service_id,
        "state": request.state,
        "reason": request.reason,
        "comment": request.comment,
        "ends_on": request.ends_on,
        "withdraw_until": request.withdraw_until,
        "sends_at": request.sends_at,
        "asked_at": request.asked_at,
        "changed_at": request.changed_at,
    }


def ending(found: CancellationSchedule) -> EndingView:
    """Show when a service would end."""
    return {"ends_on": found.ends_on, "withdraw_until": found.withdraw_until}
