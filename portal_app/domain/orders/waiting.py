"""Whom a stopped order waits for, and for what: its customer or our team."""

from typing import Literal

from portal_app.domain.orders.steps import plain_step
from portal_app.domain.profile.kyc_document import CheckStatus

# What is missing: "team" is anything that our team has to see to, an empty text is nothing at all.
WaitsFor = Literal["", "card", "document", "document_check", "new_document", "team"]
FROM_CUSTOMER: frozenset[WaitsFor] = frozenset({"card", "document", "new_document"})

_IDENTITY: dict[CheckStatus, WaitsFor] = {
    "not_submitted": "document",
    "submitted": "document_check",
    "rejected": "new_document",
    # The order goes on by itself within a minute.
    "verified": "team",
}


def waits_for(stage: str, last_step: str, check: CheckStatus) -> WaitsFor:
    """Return what an order waits for, from its stage, its last step and the state of the identity check."""
    if stage != "needs_attention":
        return ""
    step = plain_step(last_step)
    if step == "waiting_for_identity":
        return _IDENTITY[check]
    return "card" if step == "waiting_for_card" else "team"
