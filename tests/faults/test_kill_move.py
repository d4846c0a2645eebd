"""The worker is killed right after every step of a move: one mapping, one contact, one number, one welcome."""

from uuid import UUID

from portal_app.domain.identity.account import Origin
from portal_app.infra.settings import Settings
from portal_app.models.user import EMAIL_PLACE
from tests.contract.api.billing import OLD_PASSWORD, new_client, whmcs
from tests.faults.boundary import Boundaries
from tests.faults.processes import Processes
from tests.faults.shop import Shop

STEPS = ("number_client", "adopt_account", "link")
BROWSER = Origin("198.51.100.77", "Firefox")


async def move(shop: Shop, email: str) -> UUID:
    """Move a customer as their browser does, up to the enqueued linking; return the user."""
    registration = shop.web.registration
    token = await registration.sign_ups.begin(email, BROWSER, purpose="move")
    await registration.sign_ups.verify_mailbox(token, await shop.code_for(email))
    await registration.whmcs_migration.verify_whmcs_password(token, OLD_PASSWORD, BROWSER)
    await registration.whmcs_migration.complete(token, "seven green apples", BROWSER)
    index = shop.web.identity.secrets.ring.index(email, EMAIL_PLACE)
    return UUID(str(await shop.value("SELECT id FROM users WHERE email_index = %s", index)))


async def number_at_whmcs(client_id: int) -> str:
    fields = (await whmcs("GetClientsDetails", clientid=client_id))["client"]["customfields"]
    return str(next(field["value"] for field in fields if field["id"] == 198))


async def test_a_move_is_linked_once_when_worker_is_killed_right_after_any_step(
    shop: Shop, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    processes.start_all("worker", "worker", settings=settings)
    for step in STEPS:
        # Known to WHMCS only: the number and the Salesforce account are made on the way.
        email, client_id = await new_client()
        user = await move(shop, email)
        slot = await boundaries.recorded(f"move-in-{user}", step)
        processes.of_slot(slot).kill()
        processes.start("worker", settings)
        await shop.wait_for_user(user, "active")
        number = await shop.value("SELECT customer_number FROM id_mappings WHERE user_id = %s", user)
        assert await number_at_whmcs(client_id) == number
        await shop.expect_set_up_once(user, email)
        processes.all[-1].wait_until_ready()
