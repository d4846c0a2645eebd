"""How the API shows support cases."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from portal_app.api.http.resource import From, Resource
from portal_app.domain.support.message import Thread


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
class FactView(Resource):
    """One fact about an invoice, order, service or line."""

    kind: str
    value: str


@dataclass
class CaseContext(Resource):
    """The facts that go along with a case."""

    about: str
    facts: list[FactView]


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
    """One entry of a thread. `kind` is opening, comment, mail, status or file (the team's, without a message); a status
    entry's text is working, closed or reopened. `quoted` is what a mail repeats of earlier ones. `side` is customer or
    team, `author` an agent's first name or empty.

    `state` is null for what Salesforce has, else queued (can be taken back until `send_at`), sending, sent or refused;
    `refusal` says why: reopening_refused, case_gone, storage_full (its files are kept) or not_accepted.
    """

    id: str
    kind: str
    side: str
    author: str
    text: Annotated[str, From("own_text")]
    quoted: str
    at: datetime
    state: str | None
    refusal: str | None
    send_at: datetime | None
    files: list[FileView]


@dataclass
class SolvingView(Resource):
    """A customer's wish to close a case. It can be taken back as a message, until `send_at`.

    `is_refused`: it was not accepted, and can be sent again as a message.
    """

    id: UUID
    send_at: datetime
    is_refused: bool


@dataclass
class AnswerTimeView(Resource):
    """When an answer can be expected. `kind`: promised by the team, usual, or late where the moment has passed."""

    kind: str
    at: datetime


@dataclass
class CaseDetail(CaseView):
    """A case with its entries in Salesforce's order. `can_be_reopened`: a reply reopens it where it is closed.

    `earlier` is the `before` of the page with earlier entries, null where there are none. `rating`: none, possible or
    given. `solving` is the wish to close the case that is on its way, `answer` when the team's answer can be expected,
    `merged_into` the case that agents merged this one into.
    """

    entries: list[EntryView]
    can_be_reopened: bool
    earlier: int | None
    rating: str
    solving: SolvingView | None
    answer: AnswerTimeView | None
    merged_into: UUID | None
    as_of: datetime | None

    @classmethod
    def of_thread(cls, thread: Thread) -> "CaseDetail":
        """Return the view of a thread."""
        return cls.from_domain(
            thread.case,
            entries=EntryView.list_of(thread.entries),
            can_be_reopened=thread.can_be_reopened,
            earlier=thread.earlier,
            rating=thread.rating,
            solving=SolvingView.from_optional(thread.solving),
            answer=AnswerTimeView.from_optional(thread.answer),
            merged_into=thread.merged_into,
            as_of=thread.as_of,
        )


@dataclass
class CopiedFile(Resource):
    """The name and the size of a file, in bytes."""

    name: str
    size: int


@dataclass
class CopiedEntry(Resource):
    """One entry, as in `CaseDetail`. `state` is null for what has reached our team."""

    kind: str
    side: str
    author: str
    text: str
    at: datetime
    state: str | None
    files: list[CopiedFile]


@dataclass
class ConversationCopy(Resource):
    """A case with all that both sides said, as a file to keep. `as_of` is set for saved data."""

    number: str
    subject: str
    category: str
    about: Annotated[str, From("about", lambda about: str(about or ""))]
    is_closed: bool
    opened_at: datetime
    closed_at: datetime | None
    entries: list[CopiedEntry]
    as_of: datetime | None

    @classmethod
    def of_thread(cls, thread: Thread) -> "ConversationCopy":
        """Return the copy of a thread."""
        return cls.from_domain(thread.case, entries=CopiedEntry.list_of(thread.entries), as_of=thread.as_of)


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
