"""A support case: its category, its subject matter, who is awaited, and when a reply reopens it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from portal_app.domain.errors import InvalidInput

CaseCategory = Literal["billing", "internet", "sim", "vpn", "order", "account", "other"]
CATEGORIES: tuple[CaseCategory, ...] = get_args(CaseCategory)
# Which side wrote last; empty where nobody did since the case was opened.
Side = Literal["customer", "team"]
# Who is awaited: the customer, our team, or nobody because the case is closed.
Turn = Literal["customer", "team", "nobody"]
AboutKind = Literal["invoice", "order", "service", "line"]
_ABOUT_KINDS: tuple[AboutKind, ...] = get_args(AboutKind)
# Characters of a subject and of the text of a new case.
LONGEST_SUBJECT, LONGEST_TEXT = 120, 10_000
_LONGEST_ABOUT = 80
_RATED_DAYS = 30


@dataclass(frozen=True, slots=True)
class About:
    """What a case is about: an invoice, order, service or SIM line, by the id that the portal shows."""

    kind: AboutKind
    id: str

    @classmethod
    def parse(cls, text: str) -> "About | None":
        """Parse `kind:id` as it stands in an address. Return None for nothing or for another text."""
        kind, _, found = text.partition(":")
        known = next((each for each in _ABOUT_KINDS if each == kind), None)
        if known is None or not found or len(text) > _LONGEST_ABOUT or not found.replace("-", "").isalnum():
            return None
        return cls(known, found)

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case as a customer asks for it. `context` is the block of facts that the customer saw and left in."""

    category: CaseCategory
    subject: str
    text: str
    about: About | None = None
    context: str = ""

    @classmethod
    def parse(cls, *, category: str, subject: str, text: str, about: str = "", context: str = "") -> "NewCase":
        """Parse a form. Raises InvalidInput with the fields that are wrong."""
        subject, text = " ".join(subject.split()), clean_text(text)
        wrong: dict[str, str] = {}
        known = next((each for each in CATEGORIES if each == category), None)
        if known is None:
            wrong["category"] = "Choose a topic."
        if not subject:
            wrong["subject"] = "Write a subject."
        elif len(subject) > LONGEST_SUBJECT:
            wrong["subject"] = "Write at most 120 characters."
        if not text:
            wrong["text"] = "Write your question."
        elif len(text) > LONGEST_TEXT:
            wrong["text"] = "Write at most 10,000 characters."
        if known is None or wrong:
            raise InvalidInput(wrong)
        return cls(known, subject, text, About.parse(about), context)

    def fingerprint(self) -> str:
        """The content of a case, for its idempotency key."""
        return "\n".join((self.category, self.subject, str(self.about or ""), self.context, self.text))


@dataclass(frozen=True, slots=True)
class SupportCase:
    """A case as the customer sees it. `number` is empty until Salesforce has it.

    `is_refused`: Salesforce did not take it, and nothing goes on before its customer tries again.
    """

    id: UUID
    number: str
    subject: str
    category: CaseCategory
    about: About | None
    status: str
    is_closed: bool
    opened_at: datetime
    closed_at: datetime | None
    last_activity_at: datetime
    last_by: Side
    is_unread: bool
    is_seen_by_team: bool
    is_sent: bool
    is_refused: bool = False

    @property
    def turn(self) -> Turn:
        """Who is awaited."""
        if self.is_closed:
            return "nobody"
        return "customer" if self.last_by == "team" or self.is_refused else "team"

    def can_be_rated(self, at: datetime) -> bool:
        """Return whether its customer may say how it was handled: for 30 days after it was closed."""
        return self.closed_at is not None and self.is_closed and at < self.closed_at + timedelta(days=_RATED_DAYS)

    def can_be_reopened(self, at: datetime, *, days: int) -> bool:
        """Return whether a reply reopens this closed case; later a reply opens a new case that refers to it."""
        return self.closed_at is None or at < self.closed_at + timedelta(days=days)


def clean_text(text: str) -> str:
    """Return a text with line feeds only, without characters that Salesforce or PostgreSQL refuse."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        character
        for character in text
        if character in "\n\t" or (character.isprintable() or character in "\u3000\u00a0\u200d")
    )
    return kept.encode("utf-8", "ignore").decode().strip()
