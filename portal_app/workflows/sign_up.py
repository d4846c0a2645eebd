"""Sign-up: the WHMCS client, the Salesforce account and contact, and the mapping of the three."""

from typing import Any
from uuid import UUID

from portal_app.domain.ports.crm import CrmCustomer
from portal_app.wiring.portal import portal
from portal_app.workflows.step import Outcome, durable, step


@durable(name="sign_up")
async def sign_up(user_id: str) -> str:
    """Set a new user up everywhere; refused half-way, leave the WHMCS client Inactive and say so."""
    user = UUID(user_id)
    client = await step(
        "create_billing_client", lambda: portal().registration.account_setup.create_billing_client(user)
    )
    if client["state"] == "refused":
        return await give_up(user, client)
    client_id = int(client["value"])

    async def create_crm_customer() -> dict[str, Any]:
        made = await portal().registration.account_setup.create_crm_customer(user, client_id)
        return {"account_id": made.account_id, "contact_id": made.contact_id}

    crm = await step("create_crm_customer", create_crm_customer)
    if crm["state"] == "refused":
        await step("deactivate_client", lambda: portal().registration.account_setup.deactivate_client(client_id))
        return await give_up(user, crm)
    made = CrmCustomer(crm["value"]["account_id"], crm["value"]["contact_id"])
    linked = await step("link", lambda: portal().registration.account_setup.link(user, client_id, made))
    return linked["state"]


async def give_up(user: UUID, why: Outcome) -> str:
    """Mark an account as failed for what a step was refused; return the outcome of its workflow."""
    await step("give_up", lambda: portal().registration.account_setup.mark_failed(user, why["code"]))
    return "refused"
