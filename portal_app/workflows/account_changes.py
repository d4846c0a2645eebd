"""Accounts that changed at Salesforce: each service that keeps something of them reads it again."""

from collections.abc import Sequence
from functools import partial

from portal_app.integrations.throttling.call_limits import Priority
from portal_app.wiring.portal import portal
from portal_app.workflows.orders import wake_waiting_orders
from portal_app.workflows.step import step


async def apply_to_accounts(account_ids: Sequence[str], cause: str, *, priority: Priority = "background") -> str:
    """Take over what agents decided about customers; `cause` names the event that caused it."""
    outcome = "done"
    for account_id in map(str, account_ids):
        address = await step(
            "apply_address_check", partial(portal().internet.answers.apply_account, account_id), priority=priority
        )
        identity = await step(
            "apply_identity_check", partial(portal().profile.kyc_review.apply_account, account_id), priority=priority
        )
        if identity["value"]:
            await wake_waiting_orders(identity["value"], cause)
        outcome = next((read["state"] for read in (address, identity) if read["state"] != "done"), outcome)
    return outcome
