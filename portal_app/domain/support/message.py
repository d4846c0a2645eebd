"""Messages of a case: what a customer writes until Salesforce has it, and what stands in a thread."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from portal_app.domain.errors import InvalidInput
from portal_app.domain.support.answer_time import AnswerTime
from portal_app.domain.support.case import Side, SupportCase, clean_text
from portal_app.domain.support.quotes import split_quotes

# queued: can be taken back until `send_at`. sending: Salesforce is being called. refused: it will not be sent.
MessageState = Literal["queued", "sending", "sent", "refused", "withdrawn"]
# Why Salesforce did not accept a message.
Refusal = Literal["reopening_refused", "case_gone", "storage_full", "not_accepted"]
RatingState = Literal["none", "possible", "given"]
# file: one that the team added to the case without a message.
EntryKind = Literal["opening", "comment", "mail", "status", "file"]
# What a customer hands over: words, the wish to close the case, or a grade for how it was handled.
MessageKind = Literal["text", "solved", "rating"]
# The text of an entry of kind "status".
StatusLine = Literal["working", "closed", "reopened"]
# Salesforce counts the bytes of a comment, not its characters.
COMMENT_BYTES = 4000
LONGEST_REPLY_BYTES = 10 * COMMENT_BYTES
# The key of the draft of a new case; drafts of replies have the id of their case.
NEW_CASE_DRAFT = "new"
# Entries of a thread that are shown at a time.
ENTRY_PAGE = 50


@dataclass(frozen=True, slots=True)
class EntryFile:
    """A file beside a message. `id` is empty until Salesforce has it; until then `state` says how far it is."""

    id: str
    name: str = field(repr=False)
    size: int
    state: str = "sent"
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a thread.

    `id` is Salesforce's id, or ours as long as it has none. `author` is empty for the customer and for the team as a
    whole. `html` is set only where a mail has no plain text, and is not cleaned. `state` and `refusal` tell how far a
    message of the customer's is; None for what Salesforce has.
    """

    id: str
    kind: EntryKind
    side: Side
    author: str
    text: str
    at: datetime
    html: str = ""
    state: MessageState | None = None
    refusal: Refusal | None = None
    send_at: datetime | None = None
    files: tuple[EntryFile, ...] = ()

    @property
    def own_text(self) -> str:
        """The text without what a mail quotes of earlier ones."""
        return split_quotes(self.text)[0] if self.kind == "mail" else self.text

    @property
    def quoted(self) -> str:
        """What a mail quotes of earlier ones, empty for anything else."""
        return split_quotes(self.text)[1] if self.kind == "mail" else ""


@dataclass(frozen=True, slots=True)
class Solving:
    """The customer's wish to close a case, on its way. It can be taken back until `send_at`, while `is_queued`.

    `is_refused`: Salesforce did not accept it, and nothing was written since.
    """

    id: UUID
    is_queued: bool
    send_at: datetime
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """A case with its entries, oldest first. `as_of` is the age of saved entries, None for fresh ones.

    `earlier` names the place before which there are more entries, None where there are none. `rating`: whether the
    customer can say how a closed case was handled, or did. `merged_into` is the case that agents merged this one into.
    """

    case: SupportCase
    entries: tuple[Entry, ...]
    can_be_reopened: bool
    as_of: datetime | None
    earlier: int | None = None
    solving: Solving | None = None
    rating: RatingState = "none"
    answer: AnswerTime | None = None
    merged_into: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to send: its id is the token by which it is found at Salesforce after a lost answer."""

    id: UUID
    case_id: UUID
    text: str
    reopens: bool

    @property
    def comments(self) -> list[str]:
        """The text as the comments that carry it, each at most COMMENT_BYTES long."""
        return list(split_text(self.text))


def parse_reply(text: str) -> str:
    """Return the text of a reply. Raises InvalidInput for an empty or too long one."""
    text = clean_text(text)
    if not text:
        raise InvalidInput({"text": "Write your message."})
    if len(text.encode()) > LONGEST_REPLY_BYTES:
        raise InvalidInput({"text": "This message is too long. Send it in several parts."})
    return text


def split_text(text: str, limit: int = COMMENT_BYTES) -> Iterator[str]:
    """Yield a text in parts of at most so many bytes, split at the last paragraph, line, space or character."""
    while len(text.encode()) > limit:
        head = text.encode()[:limit].decode("utf-8", "ignore")
        for separator in ("\n\n", "\n", "。", " "):
            cut = head.rfind(separator)
            if cut > len(head) // 2:
                head = head[: cut + len(separator)]
                break
        yield head.rstrip()
        text = text[len(head) :].lstrip("\n ")
    if text:
        yield text
