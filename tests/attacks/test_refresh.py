"""A copied refresh token, and the honest cases that look like one."""

import asyncio

import sqlalchemy as sa
from sqlmodel import col

from portal_app.models.audit import AuditEntry
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, mailed
from tests.support.running.world import BEN


async def refresh_with(somebody: Visitor, token: str) -> int:
    """Return what a refresh token gets."""
    somebody.set_cookie("refresh", token)
    return (await somebody.call("POST", "/api/auth/refresh")).status_code


async def revocations(worker: Portal) -> int:
    """Count how often a family was revoked."""
    count = sa.select(sa.func.count()).where(col(AuditEntry.tag) == "session:refresh:reused")
    async with worker.database.unit_of_work() as session:
        return int(await (await session.connection()).scalar(count))


async def test_reuse_after_the_successor_was_used_ends_the_whole_session(ben: Visitor, worker: Portal) -> None:
    stolen, before = ben.cookie("refresh"), await revocations(worker)
    for _ in range(2):
        assert (await ben.call("POST", "/api/auth/refresh")).status_code == 200
    access, refresh = ben.cookie("access"), ben.cookie("refresh")
    assert await refresh_with(ben, stolen) == 401
    assert await refresh_with(ben, refresh) == 401
    ben.set_cookie("access", access)
    assert (await ben.get("/api/me")).status_code == 401
    assert await revocations(worker) == before + 1
    assert (await mailed(worker, BEN))["occasion"] == "session_revoked"


async def test_a_refresh_whose_response_was_lost_may_be_repeated(ben: Visitor) -> None:
    lost = ben.cookie("refresh")
    assert await refresh_with(ben, lost) == 200
    assert await refresh_with(ben, lost) == 200
    assert (await ben.get("/api/me")).status_code == 200


async def test_tabs_that_refresh_together_all_stay_signed_in(ben: Visitor) -> None:
    token = ben.cookie("refresh")
    answers = await asyncio.gather(*(ben.call("POST", "/api/auth/refresh") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert ben.cookie("refresh") != token
    assert (await ben.call("POST", "/api/auth/refresh")).status_code == 200
    assert (await ben.get("/api/me")).status_code == 200


async def test_a_refresh_token_of_an_ended_session_is_dead(ben: Visitor) -> None:
    token = ben.cookie("refresh")
    await ben.submit("/api/auth/logout")
    assert await refresh_with(ben, token) == 401


async def test_a_made_up_refresh_token_is_refused(visitor: Visitor) -> None:
    for token in ("x", "A" * 43, "' OR 1=1 --", "A" * 5000):
        assert await refresh_with(visitor, token) == 401
