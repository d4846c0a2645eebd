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


@dataclass(frozen=True, slots=True)
class RemoteThread:
    """A case with everything in it that the customer may see, in Salesforce's order.

    `files` are those of the case and of the shown mails, also those that the team does not share.
    """

    case: RemoteCase
    entries: tuple[Entry, ...]
    files: tuple[LinkedFile, ...] = ()


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

    async def thread(self, sf_case_id: str, *, recipient: str) -> RemoteThread:
        """Return a case with its entries, in one call, or two where its mails have files. `recipient` is the customer's
        e-mail address: only mails from or to it are shown. Raises NotFound.
        """
        ...

    async def open(self, customer: Customer, case_id: UUID, new: NewCase, *, language: str, recipient: str) -> str:
        """Open a case under our id and return Salesforce's. Safe to repeat."""
        ...

    async def open_for_stranger(self, stranger: Stranger, case_id: UUID, new: NewCase) -> str:
        """Open a case of somebody without an account under our id, and return Salesforce's. Safe to repeat."""
        ...

    async def reply(self, sf_case_id: str, message_id: UUID, comments: Sequence[str], *, reopen: bool) -> list[str]:
        """Write the comments of one message and our token, all or none; return the comments' ids.

        Raises NotFound for a case that is gone, ExternalRejected where the org refuses, OutcomeUnknown.
        """
        ...

    async def last_message(self, sf_case_id: str) -> str:
        """Return the id of the last message of ours that the case has, or an empty text."""
        ...

    async def follow_up(self, sf_case_id: str, earlier_sf_case_id: str) -> None:
        """Note at a case that it continues another. Safe to repeat."""
        ...
