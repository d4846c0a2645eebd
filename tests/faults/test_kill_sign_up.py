"""The worker is killed at and within every step of a sign-up: one client, one account, one contact, one welcome."""

import pytest

from portal_app.infra.settings import Settings
from tests.faults.boundary import Boundaries
from tests.support.clients.portal_driver import PortalDriver, new_email, sign_up_of
from tests.support.running.processes import Processes
from tests.support.waiting import until

STEPS = ("create_billing_client", "create_crm_customer", "link")


@pytest.mark.soak
async def test_account_is_set_up_once_when_worker_is_killed_right_after_any_step(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    processes.start_all("worker", "worker", settings=settings)
    for step in STEPS:
        email = new_email()
        user = await driver.sign_up(email)
        slot = await boundaries.recorded(sign_up_of(user), step)
        processes.of_slot(slot).kill()
        processes.start("worker", settings)
        await driver.wait_for_user(user, "active")
        await driver.expect_set_up_once(user, email)
        processes.all[-1].wait_until_ready()


async def test_account_is_set_up_once_when_worker_is_killed_between_any_effect_and_its_record(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    people = {email: await driver.sign_up(email) for email in (new_email() for _ in STEPS)}
    for user, step in zip(people.values(), STEPS, strict=True):
        await boundaries.hold(sign_up_of(user), step)
    (worker,) = processes.start_all("worker", settings=settings)
    await boundaries.wait_for_held(len(STEPS))
    worker.kill()
    await boundaries.let_go()
    processes.start_all("worker", settings=settings)
    for email, user in people.items():
        await driver.wait_for_user(user, "active")
        await driver.expect_set_up_once(user, email)


async def test_client_stays_inactive_and_customer_is_informed_when_salesforce_refuses_the_account(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("worker", settings=settings)
    email = new_email()
    await driver.set_faults("salesforce", special={"validation_rule": 1})
    user = await driver.sign_up(email)
    await driver.wait_for_user(user, "failed")
    assert [row["status"] for row in await driver.clients_of(email)] == ["Inactive"]
    assert await driver.value("SELECT count(*) FROM id_mappings WHERE user_id = %s", user) == 0

    async def is_announced() -> bool:
        return len(await driver.mails_to(email, "could not finish")) == 1

    await until(is_announced, "one mail says that the account could not be set up")
