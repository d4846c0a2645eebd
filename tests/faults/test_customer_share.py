"""The durable work that a customer starts counts against the customer's share of a vendor."""

from portal_app.infra.settings import Settings
from portal_app.infra.tasks.current_customer import working_for
from tests.faults.processes import Processes
from tests.faults.shop import Shop


async def test_steps_of_a_workflow_count_for_the_customer_whose_request_started_it(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("worker", settings=settings)
    buyer, other = await shop.buyer(), await shop.buyer()
    with working_for(str(buyer.customer.user_id)):
        order = await shop.place(buyer)
    unknown = await shop.place(other)
    await shop.wait_for_stages([order, unknown], "in_review")
    keys = [f"lane:{{salesforce}}:calls:{each.customer.user_id}" for each in (buyer, other)]
    assert [await shop.web.redis.exists(key) for key in keys] == [1, 0]
