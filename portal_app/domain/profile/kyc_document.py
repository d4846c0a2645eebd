"""Identity documents, which the law requires for voice lines, and the state of their check."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

CheckStatus = Literal["not_submitted", "submitted", "verified", "rejected"]
DocumentKind = Literal["jpg", "pdf"]
MEDIA_TYPES: dict[DocumentKind, str] = {"jpg": "image/jpeg", "pdf": "application/pdf"}
# A voice line can be ordered with a submitted document; it is activated only with a verified one.
ORDERABLE: frozenset[CheckStatus] = frozenset({"submitted", "verified"})


@dataclass(frozen=True, slots=True)
class Document:
    """A checked document: a picture written again as JPEG, or a PDF of such pictures."""

    kind: DocumentKind
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdentityCheck:
    """The state of a customer's identity check. `note` is the agent's reason for a rejection.

    `is_pending`: Salesforce does not have the document yet. `was_lost`: Salesforce did not accept it, so the customer
    has to send it again.
    """

    status: CheckStatus = "not_submitted"
    note: str = field(default="", repr=False)
    submitted_at: datetime | None = None
    is_pending: bool = False
    was_lost: bool = False

    @property
    def is_orderable(self) -> bool:
        """Whether the customer can order a voice line."""
        return self.status in ORDERABLE

    @property
    def is_open(self) -> bool:
        """Whether the customer can submit a document."""
        return self.status in ("not_submitted", "rejected")


@dataclass(frozen=True, slots=True)
class KycReviewState:
    """The check as Salesforce stores it."""

    status: CheckStatus
    note: str = field(repr=False)
    submitted_at: datetime | None
