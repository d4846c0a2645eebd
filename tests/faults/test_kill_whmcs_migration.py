"""The worker is killed right after every step of a move: one mapping, one contact, one number, one welcome."""

from uuid import UUID

from portal_app.domain.identity.account import Origin
from portal_app.infra.settings import Settings
from portal_app.models.user import EMAIL_PLACE
from tests.faults.boundary import Boundaries
from tests.support.clients.portal_driver import PortalDriver
from tests.support.clients.whmcs_clients import OLD_PASSWORD, new_client, whmcs
from tests.support.running.processes import Processes

STEPS = ("number_client", "adopt_account", "link")
BROWSER = Origin("198.51.100.77", "Firefox")


async def move(driver: PortalDriver, email: str) -> UUID:
    """Move a customer as their browser does, up to the enqueued linking; return the user."""
    registration = driver.web.registration
    token = await registration.sign_ups.begin(email, BROWSER, purpose="move")
    await registration.sign_ups.verify_mailbox(token, await driver.code_for(email))
    await registration.whmcs_migration.verify_whmcs_password(token, OLD_PASSWORD, BROWSER)
    await registration.whmcs_migration.complete(token, "seven green apples", BROWSER)
    index = driver.web.identity.secrets.ring.index(email, EMAIL_PLACE)
    return UUID(str(await driver.value("SELECT id FROM users WHERE email_index = %s", index)))


async def number_at_whmcs(client_id: int) -> str:
    fields = (await whmcs("GetClientsDetails", clientid=client_id))["client"]["customfields"]
    return str(next(field["value"] for field in fields if field["id"] == 198))


async def test_a_move_is_linked_once_when_worker_is_killed_right_after_any_step(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    processes.start_all("worker", "worker", settings=settings)
    for step in STEPS:
        # Known to WHMCS only: the number and the Salesforce account are made on the way.
        email, client_id = await new_client()
        user = await move(driver, email)
        slot = await boundaries.recorded(f"move-in-{user}", step)
        processes.of_slot(slot).kill()
        processes.start("worker", settings)
        await driver.wait_for_user(user, "active")
        number = await driver.value("SELECT customer_number FROM id_mappings WHERE user_id = %s", user)
        assert await number_at_whmcs(client_id) == number
        await driver.expect_set_up_once(user, email)
        processes.all[-1].wait_until_ready()
