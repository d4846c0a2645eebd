"""Hana's SIM lines, and what the back office does to them."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from portal_app.models.sim_line import SimLineRow
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor
from tests.support.running.world import world

HANA = "hana@example.jp"
# Her services, as sandbox/world.toml names their numbers.
VOICE, DATA, FAMILY, DOUBTFUL = "07039990101", "07039990102", "07039990103", "07039990104"
NAMES = {
    VOICE: "SIM 10GB Data, SMS and voice",
    DATA: "SIM 5GB Data only",
    FAMILY: "SIM 5GB Data, SMS and voice (Family)",
    DOUBTFUL: "SIM 25GB Data only",
}


@pytest_asyncio.fixture
async def sato(portal: Portal) -> AsyncIterator[Visitor]:
    """Hana Sato, signed in."""
    somebody = Visitor(portal.settings)
    yield await somebody.sign_in(HANA)
    await somebody.http.aclose()
    world().set_faults("freebit")


@pytest_asyncio.fixture
async def services(sato: Visitor, worker: Portal) -> dict[str, int]:
    """Her services by the number in their fields; the worker has looked for their lines."""
    found = {row["name"]: row["id"] for row in (await sato.get("/api/subscriptions")).json()["items"]}
    ids = {number: found[name] for number, name in NAMES.items()}
    user_id = worker.identity.sessions.read_access_token(sato.cookie("access")).user_id
    for service_id in ids.values():
        await worker.sim.links.link(user_id, service_id)
    return ids


async def calls() -> dict[str, int]:
    """Return how often each operation of the carrier was called, authentication left out."""
    async with httpx.AsyncClient() as office:
        counted = (await office.get(f"{world().office}/api/calls")).json()["freebit"]
    return {name: count for name, count in counted.items() if name != "authOem/"}


async def act(number: str, action: str, **wanted: Any) -> None:
    """Do something to a line in the back office."""
    async with httpx.AsyncClient() as office:
        answer = await office.post(f"{world().office}/api/sim-lines/{number}/{action}", json=wanted)
    answer.raise_for_status()


async def forget_reading(worker: Portal, service_id: int) -> None:
    """Let the next page read the line again, as if minutes had passed."""
    async with worker.database.unit_of_work() as session:
        row = await session.get(SimLineRow, service_id)
        assert row is not None
        row.read_at = None
    # The gateway keeps what a line used for as long.
    await worker.redis.delete("none", *await worker.redis.keys("c:freebit-usage:*"))


async def case_subjects() -> list[str]:
    """Return the subjects of all cases at Salesforce."""
    async with httpx.AsyncClient() as office:
        cases = (await office.get(f"{world().office}/api/cases")).json()
    return [str(case["subject"]) for case in cases]


async def fail_job(number: str) -> None:
    """Let the newest open job of a line come to nothing."""
    async with httpx.AsyncClient() as office:
        jobs = (await office.get(f"{world().office}/api/sim-lines")).json()["jobs"]
        job = next(each for each in reversed(jobs) if each["account"] == number and each["state"] == "open")
        (await office.post(f"{world().office}/api/sim-lines/jobs/{job['id']}/fail")).raise_for_status()
