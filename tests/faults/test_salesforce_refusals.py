"""Salesforce refuses or is at its limits: the order is handed over once, later, or waits where people see it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.settings import Settings
from portal_app.integrations.lanes import lane_priority
from portal_app.wiring import build
from tests.faults.processes import Processes
from tests.faults.shop import Shop

# The limit is remembered for longer than a step waits: the second try must meet the memory, not Salesforce.
SHORT = {"sf_limit_seconds": 3, "portal_retry_seconds": 2.0, "portal_breaker_seconds": 0.5}
PASSING: dict[str, dict[str, Any]] = {
    "the session is over": {"special": {"expire_sessions": 1}},
    "a row is locked": {"special": {"lock_row": 2}},
    "too many long calls run": {"special": {"concurrent_limit": 2}},
    "the answer is lost": {"lose_answers": 1},
}


@pytest_asyncio.fixture
async def fresh_budget(shop: Shop) -> AsyncIterator[None]:
    """Nothing is known of the daily limit before and after."""
    await shop.web.redis.delete("salesforce:daily_requests")
    yield
    await shop.web.redis.delete("salesforce:daily_requests")


@pytest.mark.parametrize("trouble", PASSING)
async def test_an_order_is_handed_over_once_whatever_passes(
    shop: Shop, processes: Processes, settings: Settings, trouble: str
) -> None:
    processes.start_all("worker", settings=settings.model_copy(update=SHORT))
    buyer = await shop.buyer()
    await shop.set_mood("salesforce", **PASSING[trouble])
    order = await shop.place(buyer)
    await shop.wait_for_stage(order, "in_review")
    assert len(await shop.reviews_of(order)) == 1


async def test_an_order_waits_for_the_daily_limit_and_goes_on_by_itself(
    shop: Shop, processes: Processes, settings: Settings, fresh_budget: None
) -> None:
    (worker,) = processes.start_all("worker", settings=settings.model_copy(update=SHORT))
    buyer = await shop.buyer()
    await shop.set_mood("salesforce", special={"daily_limit": -1})
    order = await shop.place(buyer)
    worker.wait_until_it_says("salesforce.budget_spent")
    assert await shop.stage(order) == "received"
    await shop.set_mood("salesforce")
    await shop.wait_for_stage(order, "in_review")
    assert len(await shop.reviews_of(order)) == 1


async def test_an_order_with_a_field_too_long_waits_for_people(
    shop: Shop, processes: Processes, settings: Settings
) -> None:
    processes.start_all("worker", settings=settings.model_copy(update=SHORT))
    buyer = await shop.buyer()
    await shop.set_mood("salesforce", special={"field_too_long": -1})
    order = await shop.place(buyer)
    await shop.wait_for_stage(order, "needs_attention")
    assert await shop.reviews_of(order) == []


async def test_upkeep_stops_at_its_share_of_the_day_while_customers_go_on(
    shop: Shop, settings: Settings, fresh_budget: None
) -> None:
    portal = build(settings, role="web")
    await shop.set_mood("salesforce", special={"requests_used": 90_000})
    assert await portal.vendors.catalog.items()

    async def as_upkeep() -> None:
        lane_priority.set("sync")
        await portal.vendors.crm.orders_changed_since(datetime.now(UTC))

    with pytest.raises(ExternalUnavailable, match="daily requests are used"):
        await asyncio.create_task(as_upkeep())
    assert await portal.vendors.catalog.items()
    assert (await portal.vendors.lanes())["salesforce"]["daily_requests"]["used"] >= 90_000
    await portal.close()
