"""Where agents check identity documents at Salesforce."""

from datetime import datetime
from typing import Protocol

from portal_app.domain.profile.kyc_document import KycReviewState


class KycGateway(Protocol):
    """Salesforce's side of identity checks; errors as in `ports`."""

    async def status_of(self, account_id: str) -> KycReviewState:
        """Return how the check stands. Raises NotFound."""

    async def checks(self, account_ids: list[str]) -> dict[str, KycReviewState]:
        """Return how the checks of at most 200 accounts stand, by account, in one call."""

    async def submit(self, account_id: str, *, submitted_at: datetime) -> None:
        """Set the check to Submitted, unless that was done already. Safe to repeat."""
