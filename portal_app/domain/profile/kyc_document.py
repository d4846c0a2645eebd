"""An identity document, which the law asks of whoever holds a voice line: what it is, and how its check stands."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

CheckStatus = Literal["not_submitted", "submitted", "verified", "rejected"]
DocumentKind = Literal["jpg", "pdf"]
MEDIA_TYPES: dict[DocumentKind, str] = {"jpg": "image/jpeg", "pdf": "application/pdf"}
# The law asks it of voice lines only. A submitted document may be ordered with, a verified one opens the line.
ORDERABLE: frozenset[CheckStatus] = frozenset({"submitted", "verified"})


@dataclass(frozen=True, slots=True)
class Document:
    """A checked document: a picture written again as JPEG, or a PDF of such pictures."""

    kind: DocumentKind
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdentityCheck:
    """How the check of a customer's identity stands. `note` is the agent's reason; `is_on_its_way` while we still
    hold the document, `was_lost` where our team could not be given it.
    """

    status: CheckStatus = "not_submitted"
    note: str = field(default="", repr=False)
    submitted_at: datetime | None = None
    is_on_its_way: bool = False
    was_lost: bool = False

    @property
    def is_orderable(self) -> bool:
        """Whether a voice line may be ordered."""
        return self.status in ORDERABLE

    @property
    def is_open(self) -> bool:
        """Whether a document is asked for."""
        return self.status in ("not_submitted", "rejected")


@dataclass(frozen=True, slots=True)
class CheckAtDesk:
    """How the check stands at Salesforce."""

    status: CheckStatus
    note: str = field(repr=False)
    submitted_at: datetime | None
