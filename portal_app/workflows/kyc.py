"""Sends an identity document to Salesforce, notifies the agents, then deletes it here."""

from functools import partial
from uuid import UUID

from portal_app.wiring.portal import portal
from portal_app.workflows.account_changes import apply_to_accounts
from portal_app.workflows.step import durable, step


@durable(name="hand_over_document")
async def hand_over_document(user_id: str, document_id: str) -> str:
    """Hand a document over, however long its check or Salesforce takes; not taken, ask the customer for another."""
    user, document, checks = UUID(user_id), UUID(document_id), portal().profile.kyc_review
    for name, call in (("store_document", checks.hand_over), ("ask_for_check", checks.request_review)):
        outcome = await step(name, lambda call=call: call(user, document), priority="customer")
        reason = str(outcome["value"] or "")
        if reason or outcome["state"] == "refused":
            ask = partial(checks.delete_document, user, document, was_lost=True, refusal=reason)
            await step("ask_again", ask)
            return "refused"
    await step("forget_document", lambda: checks.delete_document(user, document))
    # An agent may have decided before we noted that the document arrived.
    account = await step("read_account", lambda: checks.account_of(user))
    return await apply_to_accounts([account["value"]] if account["value"] else [], document_id)
