"""Bad answers of Freebit: the page of a line shows its saved state, and recovery is noticed automatically."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio

from portal_app.models.line_change import LINE_PLACE
from portal_app.models.sim_line import SimLineRow
from portal_app.models.user import EMAIL_PLACE, User
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import AIKO, BEN, world
from tests.support.vendors.outages import OUTAGES
from tests.support.waiting import LONGEST_SECONDS

NUMBER = "07039990099"
HURRIED = {
    "freebit_timeout": 1.0, "freebit_concurrency": 4, "mirror_patience_seconds": 2.0,
    "portal_breaker_failures": 3, "portal_breaker_seconds": 0.3, "freebit_usage_seconds": 0,
}  # fmt: skip


@pytest_asyncio.fixture
async def hurried(portal: Portal) -> AsyncIterator[Portal]:
    """A portal with a short vendor deadline; Freebit is well before and after."""
    async with instead_of(portal, world().settings_with(**HURRIED)) as other:
        await other.redis.delete("breaker:{freebit}")
        yield other
        world().set_faults("freebit")
        await other.redis.delete("breaker:{freebit}")


@pytest_asyncio.fixture
async def line(ben: Visitor, worker: Portal) -> AsyncIterator[str]:
    """The address of a service of Ben's that has a line at Freebit, last heard of as waiting."""
    (service, *_) = (await ben.get("/api/subscriptions")).json()["items"]
    ring = worker.identity.secrets.ring
    async with worker.database.identity() as session:
        user = await User.by_email(session, ring.index(BEN, EMAIL_PLACE))
    row = SimLineRow(
        service_id=service["id"],
        user_id=user.id,
        number=NUMBER,
        number_index=ring.index(NUMBER, LINE_PLACE),
        iccid="",
        eid="",
        body={"state": "waiting"},
    )
    async with worker.database.unit_of_work() as session:
        session.add(row)
    yield f"/api/subscriptions/{service['id']}"
    async with worker.database.unit_of_work() as session:
        await session.delete(row)


async def test_a_line_is_shown_from_saved_data_until_freebit_is_back(
    hurried: Portal, line: str, visitor: Visitor
) -> None:
    ben, aiko = await Visitor(hurried.settings).sign_in(BEN), await Visitor(hurried.settings).sign_in(AIKO)
    living = {"number": NUMBER, "state": "active", "as_of": None}
    assert (await ben.get(line)).json()["line"] == living
    assert (await aiko.get(line)).status_code == 404
    for outage in OUTAGES.values():
        world().set_faults("freebit", **outage)
        began = datetime.now(UTC)
        looks = await asyncio.gather(*(ben.get(path) for path in (line, "/api/subscriptions", "/api/orders") * 4))
        assert {look.status_code for look in looks} == {200}
        saved = [look.json()["line"] for look in looks if "line" in look.json()]
        assert {(shown["state"], datetime.fromisoformat(shown["as_of"]) < began) for shown in saved} == {
            ("active", True)
        }
        # The pages did not wait for the call to Freebit; once it has failed, the health page says so.
        await until(visitor, "/api/health/freebit", "status", "unavailable")
        assert (await visitor.get_as_operator("/api/health/freebit")).status_code == 503
        world().set_faults("freebit")
        await until(ben, line, "line", living)
        assert (await visitor.get_as_operator("/api/health/freebit")).json()["status"] == "ok"
    limiter = (await visitor.get_as_operator("/api/health/lanes")).json()["lanes"]["freebit"]
    assert (limiter["breaker"], limiter["running"], sum(limiter["waiting"].values())) == ("closed", 0, 0)
    for one in (ben, aiko):
        await one.http.aclose()


async def test_a_late_state_from_freebit_is_saved_and_pushed_to_open_pages(
    hurried: Portal, line: str, worker: Portal
) -> None:
    ben = await Visitor(hurried.settings).sign_in(BEN)
    world().set_faults("freebit", slow=0.3)
    async with instead_of(hurried, world().settings_with(**HURRIED | {"mirror_patience_seconds": 0.05})) as hasty:
        visitor = Visitor(hasty.settings)
        visitor.http.cookies = ben.http.cookies
        shown = (await visitor.get(line)).json()["line"]
        assert shown["state"] == "waiting" and shown["as_of"]
        await until_saved(worker, "active")
        await visitor.http.aclose()
    await ben.http.aclose()


async def until(visitor: Visitor, path: str, name: str, wanted: Any) -> None:
    """Ask until the answer is as it should be again."""
    async with asyncio.timeout(LONGEST_SECONDS):
        while (await visitor.get_as_operator(path)).json()[name] != wanted:
            await asyncio.sleep(0.05)


async def until_saved(worker: Portal, state: str) -> None:
    """Wait until the background read has been saved."""
    index = worker.identity.secrets.ring.index(NUMBER, LINE_PLACE)
    async with asyncio.timeout(LONGEST_SECONDS):
        while True:
            async with worker.database.unit_of_work() as session:
                kept = await SimLineRow.of_number(session, index)
            if kept is not None and kept.to_snapshot().state == state:
                return
            await asyncio.sleep(0.05)
