"""Identity checks in Salesforce: the status on the account. Implements KycGateway."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from portal_app.domain.identifiers import salesforce_id
from portal_app.domain.profile.kyc_document import CheckStatus, KycReviewState
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.responses import read_each, understood

_STATUS, _NOTE, _AT = "Id_Verification_Status__c", "Id_Verification_Note__c", "Id_Verification_Submitted_At__c"
_FIELDS = (_STATUS, _NOTE, _AT)
_CHECKS = " ".join(("SELECT Id,", ", ".join(_FIELDS), "FROM Account WHERE Id IN {ids}"))
_STATUSES: dict[str, CheckStatus] = {"Submitted": "submitted", "Verified": "verified", "Rejected": "rejected"}


class SalesforceKyc:
    """Read and write identity checks."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client

    async def status_of(self, account_id: str) -> KycReviewState:
        """Return how the check stands; a status we do not know counts as not submitted. Raises NotFound."""
        row = await self._client.read("Account", account_id, _FIELDS)
        with understood("identity check"):
            return _check_of(row)

    async def checks(self, account_ids: list[str]) -> dict[str, KycReviewState]:
        """Return how the checks of at most 200 accounts stand, by account, in one call."""
        rows = await self._client.query(_CHECKS, ids=account_ids) if account_ids else []
        return dict(read_each(rows, _account_and_check, listing="identity checks"))

    async def submit(self, account_id: str, *, submitted_at: datetime) -> None:
        """Set the check to Submitted, unless that was done already: an agent may have decided meanwhile."""
        known = (await self.status_of(account_id)).submitted_at
        if known is None or known < submitted_at:
            fields = {_STATUS: "Submitted", _AT: submitted_at.isoformat(), _NOTE: None}
            await self._client.update("Account", account_id, fields)


def _account_and_check(row: Mapping[str, Any]) -> tuple[str, KycReviewState]:
    return salesforce_id(str(row["Id"])), _check_of(row)


def _check_of(row: Mapping[str, Any]) -> KycReviewState:
    submitted = row.get(_AT)
    return KycReviewState(
        status=_STATUSES.get(str(row.get(_STATUS)), "not_submitted"),
        note=str(row.get(_NOTE) or ""),
        submitted_at=datetime.fromisoformat(str(submitted)) if submitted else None,
    )
