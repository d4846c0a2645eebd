"""Salesforce refuses or is at its limits: the order is handed over once, later, or waits where people see it."""

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from portal_app.infra.settings import Settings
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.processes import Processes

# The limit is remembered for longer than a step waits: the second try must meet the memory, not Salesforce.
SHORT = {"sf_limit_seconds": 3, "portal_retry_seconds": 2.0, "portal_breaker_seconds": 0.5}
PASSING: dict[str, dict[str, Any]] = {
    "the session is over": {"special": {"expire_sessions": 1}},
    "a row is locked": {"special": {"lock_row": 2}},
    "too many long calls run": {"special": {"concurrent_limit": 2}},
    "the answer is lost": {"lose_answers": 1},
}


@pytest_asyncio.fixture
async def fresh_budget(driver: PortalDriver) -> AsyncIterator[None]:
    """Nothing is known of the daily limit before and after."""
    await driver.web.redis.delete("salesforce:daily_requests")
    yield
    await driver.web.redis.delete("salesforce:daily_requests")


@pytest.mark.parametrize("trouble", PASSING)
async def test_an_order_is_handed_over_once_whatever_passes(
    driver: PortalDriver, processes: Processes, settings: Settings, trouble: str
) -> None:
    processes.start_all("worker", settings=settings.model_copy(update=SHORT))
    buyer = await driver.buyer()
    await driver.set_faults("salesforce", **PASSING[trouble])
    order = await driver.place(buyer)
    await driver.wait_for_stage(order, "in_review")
    assert len(await driver.reviews_of(order)) == 1


async def test_an_order_waits_for_the_daily_limit_and_goes_on_by_itself(
    driver: PortalDriver, processes: Processes, settings: Settings, fresh_budget: None
) -> None:
    (worker,) = processes.start_all("worker", settings=settings.model_copy(update=SHORT))
    buyer = await driver.buyer()
    # Plans are shown from what is kept.
    await driver.web.catalog.plans("vpn")
    await driver.set_faults("salesforce", special={"daily_limit": -1})
    order = await driver.place(buyer)
    worker.wait_until_it_says("salesforce.budget_spent")
    assert await driver.stage(order) == "received"
    await driver.set_faults("salesforce")
    await driver.wait_for_stage(order, "in_review")
    assert len(await driver.reviews_of(order)) == 1


async def test_an_order_with_a_field_too_long_waits_for_people(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("worker", settings=settings.model_copy(update=SHORT))
    buyer = await driver.buyer()
    await driver.set_faults("salesforce", special={"field_too_long": -1})
    order = await driver.place(buyer)
    await driver.wait_for_stage(order, "needs_attention")
    assert await driver.reviews_of(order) == []


async def test_background_work_stops_at_its_share_of_the_day_while_orders_and_customers_continue(
    driver: PortalDriver, processes: Processes, settings: Settings, fresh_budget: None
) -> None:
    (worker,) = processes.start_all("worker", settings=settings.model_copy(update={"portal_retry_seconds": 2.0}))
    buyer, vendors = await driver.buyer(), driver.web.vendors
    await driver.set_faults("salesforce", special={"requests_used": 90_000})
    assert await vendors.catalog.items()
    async with driver.web.database.unit_of_work() as session:
        await driver.web.queue.enqueue(session, "reconcile_all", f"reconcile-all-{uuid4()}")
    worker.wait_until_it_says("salesforce.budget_spent")
    order = await driver.place(buyer)
    await driver.wait_for_stage(order, "in_review")
    assert set(re.findall(r"salesforce\.budget_spent.* priority=(\w+)", worker.log())) == {"sync"}
    assert await vendors.catalog.items()
    assert (await vendors.limiter_states())["salesforce"]["daily_requests"]["used"] >= 90_000
