"""What the API shows of a cancellation."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from portal_app.api.http.resource import Resource


@dataclass
class CancellationView(Resource):
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


@dataclass
class EndingView(Resource):
    """When a service would end if it were cancelled now, and the last day to take that back; days in Japan."""

    ends_on: date
    withdraw_until: date
