"""The durable work that a customer starts counts against the customer's share of a vendor."""

from portal_app.infra.settings import Settings
from portal_app.infra.tasks.current_customer import working_for
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.processes import Processes


async def test_steps_of_a_workflow_count_for_the_customer_whose_request_started_it(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("worker", settings=settings)
    buyer, other = await driver.buyer(), await driver.buyer()
    with working_for(str(buyer.customer.user_id)):
        order = await driver.place(buyer)
    unknown = await driver.place(other)
    await driver.wait_for_stages([order, unknown], "in_review")
    keys = [f"lane:{{salesforce}}:calls:{each.customer.user_id}" for each in (buyer, other)]
    assert [await driver.web.redis.exists(key) for key in keys] == [1, 0]
