"""How the API shows support cases."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from portal_app.api.http.resource import From, Resource


@dataclass
class CaseView(Resource):
    """One case. `number` is empty until Salesforce has it. `turn` says who is awaited: customer, team or nobody.

    `about` is what it is about, such as `invoice:12`, or empty.
    """

    id: UUID
    number: str
    subject: str
    category: str
    about: Annotated[str, From("about", lambda about: str(about or ""))]
    turn: str
    is_closed: bool
    is_unread: bool
    is_seen_by_team: bool
    opened_at: datetime
    closed_at: datetime | None
    last_activity_at: datetime


@dataclass
class CaseList(Resource):
    """A page of cases; `total` counts all that match. `as_of` is set for saved data."""

    items: list[CaseView]
    total: int
    page: int
    last_page: int
    as_of: datetime | None


@dataclass
class FileView(Resource):
    """A file beside a message. `id` is empty until Salesforce has it; it is fetched by it.

    `state`: received (being checked), checked, sent or refused; `refusal` is the key of why.
    """

    id: str
    name: str
    size: int
    state: str
    refusal: str


@dataclass
class EntryView(Resource):
    """One entry of a thread. `side` is customer or team, `author` an agent's first name or empty.

    `state` is null for what Salesforce has, else queued (can be taken back until `send_at`), sending, sent or refused;
    `refusal` says why: reopening_refused, case_gone or not_accepted.
    """

    id: str
    kind: str
    side: str
    author: str
    text: str
    at: datetime
    state: str | None
    refusal: str | None
    send_at: datetime | None
    files: list[FileView]


@dataclass
class CaseDetail(CaseView):
    """A case with its entries in Salesforce's order. `can_be_reopened`: a reply reopens it where it is closed."""

    entries: list[EntryView]
    can_be_reopened: bool
    as_of: datetime | None


@dataclass
class MessageTaken(Resource):
    """A message that was taken; Salesforce gets it as soon as it can."""

    id: str
    case_id: str


@dataclass
class DraftView(Resource):
    """Text that is not sent. `version` is to be sent along with the next change; 0 where nothing is saved."""

    content: str
    version: int
