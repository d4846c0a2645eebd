"""Moving in: an existing WHMCS client linked with its Salesforce account and its new portal user."""

from typing import Any
from uuid import UUID

from portal_app.domain.ports.crm import CrmCustomer
from portal_app.wiring.portal import portal
from portal_app.workflows.sign_up import give_up
from portal_app.workflows.step import durable, step


@durable(name="move_in")
async def move_in(user_id: str) -> str:
    """Link a moved customer everywhere; refused half-way, leave WHMCS as it is and say so."""
    user = UUID(user_id)
    client = await step("number_client", lambda: portal().registration.whmcs_migration_setup.number_client(user))
    if client["state"] == "refused":
        return await give_up(user, client)

    async def adopt_account() -> dict[str, Any]:
        made = await portal().registration.whmcs_migration_setup.adopt_account(user)
        return {"account_id": made.account_id, "contact_id": made.contact_id}

    crm = await step("adopt_account", adopt_account)
    if crm["state"] == "refused":
        return await give_up(user, crm)
    made = CrmCustomer(crm["value"]["account_id"], crm["value"]["contact_id"])
    linked = await step("link", lambda: portal().registration.account_setup.link(user, int(client["value"]), made))
    return linked["state"]
