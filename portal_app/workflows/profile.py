"""A changed profile: WHMCS first, then Salesforce, until nothing is left that was asked for."""

from uuid import UUID

from dbos import DBOS

from portal_app.infra.database.durable import WakeTopic
from portal_app.wiring.portal import portal
from portal_app.workflows.step import durable, step

# What Salesforce refuses, a person corrects there; it is tried again this often, and at the customer's next change.
_REFUSED_SECONDS = 3600.0


@durable(name="save_profile")
async def save_profile(user_id: str) -> str:
    """Carry out what a customer changed of themselves, and what they change meanwhile."""
    user, changes, is_told = UUID(user_id), portal().profile.profile_changes, False
    while True:
        billing = await step("change_billing", lambda: changes.send_to_whmcs(user))
        if billing["state"] == "refused":
            await _refuse(user, billing["code"])
        crm = await step("change_crm", lambda: changes.send_to_salesforce(user))
        if crm["state"] == "refused":
            is_told = is_told or await _tell(user, crm["code"])
            await DBOS.recv_async(WakeTopic.PROFILE, timeout_seconds=_REFUSED_SECONDS)
        elif (await step("finish", lambda: changes.finish_if_done(user)))["value"]:
            return "done"


async def _refuse(user: UUID, code: str) -> None:
    await step("refuse", lambda: portal().profile.profile_changes.record_whmcs_refusal(user, code))


async def _tell(user: UUID, code: str) -> bool:
    await step("tell_refusal", lambda: portal().profile.profile_changes.record_salesforce_refusal(user, code))
    return True
