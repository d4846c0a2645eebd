"""Salesforce's cases with their comments and mails, as services see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from portal_app.domain.help.contact import Stranger
from portal_app.domain.ports.files import LinkedFile
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import NewCase, Side
from portal_app.domain.support.message import Entry


@dataclass(frozen=True, slots=True)
class RemoteCase:
    """A case at Salesforce. `reference` is our id where the portal opened it, else empty.

    `merged_into` is the case at Salesforce that agents merged it into, where the org keeps such cases.
    `threading_id` is what Email-to-Case finds the case by, empty where the org does not say.
    `last_by` is None where the org does not say who wrote last. `is_shown` is False for agents' own work, which a
    customer sees only once something in it is for the customer.
    """

    sf_case_id: str
    account_id: str
    reference: str
    number: str
    subject: str
    description: str
    status: str
    is_closed: bool
    closed_at: datetime | None
    category: str
    about: str
    opened_at: datetime
    opened_by: Side
    last_activity_at: datetime
    last_by: Side | None
    is_seen_by_team: bool
    is_shown: bool
    threading_id: str = ""
    merged_into: str = ""


@dataclass(frozen=True, slots=True)
class RemoteThread:
    """A case with everything in it that the customer may see, in Salesforce's order.

    `answer_due_at` is when the next step of the team is due, None where nothing was promised. `files` are those of the
    case and of the shown mails, also those that the team does not share.
    """

    case: RemoteCase
    entries: tuple[Entry, ...]
    answer_due_at: datetime | None = None
    files: tuple[LinkedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenReplies:
    """Our own comments at a case as (id, text), oldest first, and whether a message is the last one it has of us."""

    is_last: bool
    comments: tuple[tuple[str, str], ...]


class CaseGateway(Protocol):
    """Salesforce: a customer's cases. Raises as every port does."""

    async def cases(self, customer: Customer) -> list[RemoteCase]:
        """Return the cases of an account, last activity first, at most 2,000."""
        ...

    async def changed_cases(self, sf_case_ids: Sequence[str]) -> list[RemoteCase]:
        """Return those of at most 200 cases that exist, in one call."""
        ...

    async def cases_changed_since(self, since: datetime) -> list[str]:
        """Return the ids of every case that changed, or whose comments did, since a moment."""
        ...

    async def written_since(self, sf_case_ids: Sequence[str], since: datetime) -> dict[str, datetime]:
        """Return those of at most 200 cases in which a comment, mail or file came or changed, each with when."""
        ...

    async def thread(self, sf_case_id: str, *, recipient: str) -> RemoteThread:
        """Return a case with its entries, in one call, or two where its mails have files. `recipient` is the customer's
        e-mail address: only mails from or to it are shown. Raises NotFound.
        """
        ...

    async def open(self, customer: Customer, case_id: UUID, new: NewCase, *, language: str, recipient: str) -> str:
        """Open a case under our id and return Salesforce's. Safe to repeat, though it undoes what agents changed."""
        ...

    async def opened(self, case_id: UUID) -> str | None:
        """Return Salesforce's id of the case that was opened under our id, None for none."""
        ...

    async def is_closed(self, sf_case_id: str) -> bool:
        """Return whether a case is closed now. Raises NotFound."""
        ...

    async def open_for_stranger(self, stranger: Stranger, case_id: UUID, new: NewCase) -> str:
        """Open a case of somebody without an account under our id, and return Salesforce's. Safe to repeat."""
        ...

    async def reply(self, sf_case_id: str, message_id: UUID, comments: Sequence[str], *, reopen: bool) -> list[str]:
        """Write the comments of one message and our token, all or none; return the comments' ids.

        Raises NotFound for a case that is gone, ExternalRejected where the org refuses, OutcomeUnknown.
        """
        ...

    async def written(self, sf_case_id: str, message_id: UUID) -> WrittenReplies:
        """Return what the case has of our replies. Raises NotFound."""
        ...

    async def close(self, sf_case_id: str, message_id: UUID) -> None:
        """Close a case on its customer's word. Safe to repeat. Raises NotFound, ExternalRejected."""
        ...

    async def rate(self, sf_case_id: str, grade: int, words: str) -> None:
        """Write a customer's grade (1 to 3) and words at a case. Safe to repeat."""
        ...

    async def masters(self, sf_case_ids: Sequence[str]) -> dict[str, str]:
        """Return the case into which each of these, at most 200, was merged; others are left out."""
        ...

    async def follow_up(self, sf_case_id: str, earlier_sf_case_id: str) -> None:
        """Note at a case that it continues another. Safe to repeat."""
        ...
