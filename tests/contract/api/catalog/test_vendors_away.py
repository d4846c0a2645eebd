"""Bad answers of Salesforce: saved data are shown, missing data are reported as unavailable."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import BEN, world
from tests.support.vendors.outages import OUTAGES
from tests.support.waiting import LONGEST_SECONDS

SAVED = ("/api/services/vpn", "/api/services/sim", "/api/orders", "/api/subscriptions", "/api/invoices")
HURRIED = {"sf_timeout": 1.5, "portal_breaker_failures": 3, "portal_breaker_seconds": 0.3}


@pytest_asyncio.fixture
async def hurried(portal: Portal) -> AsyncIterator[Portal]:
    """A portal with a short vendor deadline; Salesforce is well before and after."""
    async with instead_of(portal, world().settings_with(**HURRIED)) as other:
        await other.redis.delete("breaker:{salesforce}")
        yield other
        world().set_faults("salesforce")
        await other.redis.delete("breaker:{salesforce}")


@pytest.mark.parametrize("outage", OUTAGES)
async def test_customers_go_on_while_salesforce_answers_badly_and_see_the_catalogue_when_it_is_back(
    hurried: Portal, outage: str
) -> None:
    ben = await Visitor(hurried.settings).sign_in(BEN)
    for path in SAVED:
        assert (await ben.get(path)).status_code == 200
    world().set_faults("salesforce", **OUTAGES[outage])
    looks = await asyncio.gather(*(ben.get(path) for path in (*SAVED, "/api/me/summary") * 3))
    assert {answer.status_code for answer in looks} == {200}
    await hurried.catalog.invalidate()
    unknown = await asyncio.gather(*(ben.get("/api/services/vpn") for _ in range(10)))
    assert {(answer.status_code, answer.json()["code"]) for answer in unknown} == {(503, "external_unavailable")}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in unknown)
    world().set_faults("salesforce")
    await until_it_answers(ben, "/api/services/vpn")
    await ben.http.aclose()


async def until_it_answers(visitor: Visitor, path: str) -> None:
    """Ask until the answer is good; fail where the breaker never lets a call through again."""
    async with asyncio.timeout(LONGEST_SECONDS):
        while (await visitor.get(path)).status_code != 200:
            await asyncio.sleep(0.05)
