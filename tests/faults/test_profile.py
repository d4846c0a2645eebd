"""A changed profile while vendors are down and workers die: shown as pending and completed later, WHMCS first."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from portal_app.domain.profile.profile import AWAY, ON_ITS_WAY, ProfileChange
from portal_app.infra.settings import Settings
from portal_app.wiring.portal import Portal
from tests.faults.boundary import Boundaries
from tests.support.clients.portal_driver import Buyer, PortalDriver
from tests.support.running.processes import Processes
from tests.support.waiting import until


@pytest.fixture
async def buyer(driver: PortalDriver) -> Buyer:
    return await driver.buyer(card=False)


async def change(driver: PortalDriver, buyer: Buyer, **fields: Any) -> None:
    """Ask for a change that needs no fresh proof."""
    await driver.web.profile.profiles.change(buyer.customer, ProfileChange(**fields), session_id=uuid4())


async def note(driver: PortalDriver, buyer: Buyer) -> str:
    return (await driver.web.profile.profiles.profile_for(buyer.customer)).note


async def names_at_vendors(worker_side: Portal, buyer: Buyer) -> tuple[str, str]:
    """Return the first name at WHMCS and at Salesforce."""
    person = await worker_side.vendors.people.person(buyer.customer.whmcs_client_id)
    contact = await worker_side.vendors.crm._client.read("Contact", buyer.customer.sf_contact_id, ["FirstName"])
    return person.first_name, contact["FirstName"]


def workflow_of(user_id: UUID, version: int = 1) -> str:
    return f"save-profile-{user_id}-{version}"


async def test_a_change_waits_while_whmcs_is_down_and_the_newest_value_is_written(
    driver: PortalDriver, worker_side: Portal, processes: Processes, settings: Settings, buyer: Buyer
) -> None:
    processes.start_all("worker", settings=settings)
    await driver.web.profile.profiles.profile_for(buyer.customer)
    await driver.set_faults("whmcs", down=True)
    await change(driver, buyer, first_name="花")
    await until(lambda: note(driver, buyer), "the page says that a system is away", equals=AWAY)
    await change(driver, buyer, first_name="花子")
    assert (await driver.web.profile.profiles.profile_for(buyer.customer)).person.first_name == "花子"
    await driver.set_faults("whmcs")
    await until(lambda: note(driver, buyer), "nothing is on its way any more", equals="")
    assert await names_at_vendors(worker_side, buyer) == ("花子", "花子")
    busy = "SELECT count(*) FROM profiles WHERE user_id = %s AND is_busy"
    await until(lambda: driver.value(busy, buyer.customer.user_id), "the workflow has ended", equals=0)


async def test_worker_killed_between_whmcs_and_an_absent_salesforce_leaves_nothing_half_done(
    driver: PortalDriver,
    worker_side: Portal,
    processes: Processes,
    settings: Settings,
    boundaries: Boundaries,
    buyer: Buyer,
) -> None:
    (worker,) = processes.start_all("worker", settings=settings)
    await driver.set_faults("salesforce", down=True)
    await change(driver, buyer, first_name="花子")
    await boundaries.recorded(workflow_of(buyer.customer.user_id), "change_billing")
    worker.kill()
    assert await note(driver, buyer) in (ON_ITS_WAY, AWAY)
    processes.start_all("worker", settings=settings)
    await driver.set_faults("salesforce")
    await until(lambda: note(driver, buyer), "nothing is on its way any more", equals="")
    assert await names_at_vendors(worker_side, buyer) == ("花子", "花子")


async def test_a_refusal_of_salesforce_is_retried_with_the_next_change_of_the_customer(
    driver: PortalDriver, worker_side: Portal, processes: Processes, settings: Settings, buyer: Buyer
) -> None:
    processes.start_all("worker", settings=settings)
    await driver.set_faults("salesforce", special={"validation_rule": 1})
    await change(driver, buyer, first_name="花")
    query = "SELECT count(*) FROM audit WHERE user_id = %s AND tag = 'account:salesforce:refused'"
    await until(lambda: driver.value(query, buyer.customer.user_id), "the audit says that Salesforce refused", equals=1)
    await driver.set_faults("salesforce")
    await change(driver, buyer, last_name="佐藤")
    await until(lambda: note(driver, buyer), "nothing is on its way any more", equals="")
    assert await names_at_vendors(worker_side, buyer) == ("花", "花")
