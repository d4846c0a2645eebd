"""What is new in cases: found without an event, and read on every device once it was read on one."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlmodel import col, select

from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import now
from portal_app.infra.redis.live import Change
from portal_app.models.support import CaseRow
from portal_app.wiring.portal import Portal
from tests.contract.api.support.talking import agent_does, opened, sf_id, thread
from tests.support.clients.case_files import send_waiting
from tests.support.clients.visitor import Visitor
from tests.support.waiting import until


async def test_an_answer_read_on_one_device_is_read_on_the_others_too(
    ben: Visitor, portal: Portal, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await opened(ben)
    await send_waiting(worker, case_id)
    async with worker.database.unit_of_work() as session:
        case = await session.get(CaseRow, UUID(case_id))
        assert case is not None and case.seen_at is not None
        case.seen_at -= timedelta(seconds=5)
        customer = Customer(case.user_id, 0, "", "", "")
    other = await Visitor(ben.settings).sign_in(ben.email)
    bell = portal.notifications.notices.unread

    before = await bell(customer.user_id)
    await agent_does(worker, office, case_id, "comment", text="Answered")
    assert [await shown(device, case_id) for device in (ben, other)] == [(True,) * 3] * 2
    assert await bell(customer.user_id) == before + 1
    topics: list[str] = []

    async def listen() -> None:
        async for change in portal.live.changes():
            topics.append(change.topic)

    async def hears() -> bool:
        await portal.live.publish(Change(UUID(int=1), "nothing"))
        return bool(topics)

    listening = asyncio.create_task(listen())
    await until(hears, "the other device listens")
    await portal.support.cases.mark_seen(customer, UUID(case_id))
    # Its bell, and its dashboard or list.
    await until(lambda: has_both(topics), "the other device is told")
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
    assert [await shown(device, case_id) for device in (ben, other)] == [(False,) * 3] * 2
    assert await bell(customer.user_id) == before


async def shown(device: Visitor, case_id: str) -> tuple[bool, bool, bool]:
    """Return whether the list, the dashboard and the case itself call it unread."""
    listed = (await device.get("/api/cases")).json()["items"]
    tasks = (await device.get("/api/me/summary")).json()["tasks"]
    return (
        next(each["is_unread"] for each in listed if each["id"] == case_id),
        case_id in {task["id"] for task in tasks if task["kind"] == "case_answered"},
        (await thread(device, case_id))["is_unread"],
    )


async def has_both(topics: list[str]) -> bool:
    return {"notices", "support"} <= {*topics}


@pytest.mark.parametrize("what", ["comment", "mail", "file"])
async def test_what_no_event_tells_is_found_by_one_call_for_all_watched_cases(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient, what: str
) -> None:
    quiet, case_id = await opened(ben, subject="Quiet"), await opened(ben)
    for each in (quiet, case_id):
        await send_waiting(worker, each)
    both = [await sf_id(worker, each) for each in (quiet, case_id)]
    async with worker.database.unit_of_work() as session:
        # All was read a good while after it was written.
        for row in (await session.exec(select(CaseRow).where(col(CaseRow.sf_case_id).in_(both)))).all():
            row.read_at = now() + timedelta(minutes=5)
    assert not {*await worker.support.changes.watched()} & {*both}
    (await office.post("/faults/salesforce", json={"special": {"comment_silent": -1}})).raise_for_status()
    said = {"file": {"name": "a.txt", "content": "QQ=="}, "mail": {"text": "Hello", "to": ben.email}}
    values = said.get(what, {"text": "Hello"})
    (await office.post(f"/support/{both[1]}/{what}", json=values)).raise_for_status()
    (await office.post("/faults/salesforce", json={})).raise_for_status()
    async with worker.database.unit_of_work() as session:
        for each in (quiet, case_id):
            case = await session.get(CaseRow, UUID(each))
            assert case is not None
            case.read_at = now() + timedelta(seconds=(300 if each == quiet else 0))
    before = (await office.get("/calls")).json()["salesforce"]
    found = await worker.support.changes.watched()
    after = (await office.get("/calls")).json()["salesforce"]
    assert (both[1] in found, both[0] in found) == (True, False)
    assert sum(after.values()) - sum(before.values()) == after["composite"] - before["composite"] == 1
    await worker.support.changes.apply([both[1]])
    assert (await thread(ben, case_id))["entries"][-1]["side"] == "team"
