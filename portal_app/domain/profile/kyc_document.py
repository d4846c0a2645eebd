"""Identity documents, which the law requires for voice lines, and the state of their check."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

CheckStatus = Literal["not_submitted", "submitted", "verified", "rejected"]
# A voice line can be ordered with a submitted document; it is activated only with a verified one.
ORDERABLE: frozenset[CheckStatus] = frozenset({"submitted", "verified"})


@dataclass(frozen=True, slots=True)
class IdentityCheck:
    """The state of a customer's identity check. `note` is the agent's reason for a rejection.

    `is_pending`: Salesforce does not have the document yet. `was_lost`: it did not reach Salesforce, so the
    customer has to send it again; `refusal` is the key of the reason where the document itself was not taken.
    """

    status: CheckStatus = "not_submitted"
    note: str = field(default="", repr=False)
    submitted_at: datetime | None = None
    is_pending: bool = False
    was_lost: bool = False
    refusal: str = ""

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
