"""A page that was left open for an hour: its buttons still work, as long as the session lives."""

import time

import sqlalchemy as sa

from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import aged_access
from tests.support.clients.visitor import Visitor
from tests.support.running.world import PASSWORD


async def let_time_pass(portal: Portal, somebody: Visitor, *, seconds: int) -> None:
    """Move everything of somebody's session into the past, in the browser and in the database."""
    session_id = portal.identity.sessions.read_access_token(somebody.cookie("access")).session_id
    somebody.set_cookie("access", aged_access(somebody.cookie("access"), seconds=seconds))
    statements = (
        "UPDATE sessions SET used_at = used_at - :by, confirmed_at = confirmed_at - :by, "
        "expires_at = expires_at - :by WHERE id = :id",
        "UPDATE refresh_tokens SET issued_at = issued_at - :by, used_at = used_at - :by WHERE session_id = :id",
    )
    async with portal.database.identity() as session:
        connection = await session.connection()
        for statement in statements:
            await connection.execute(
                sa.text(statement.replace(":by", "make_interval(secs => :s)")), {"s": seconds, "id": session_id}
            )
    portal.identity.sessions.forget_session(session_id)
    await portal.redis.delete(f"session:{session_id}")


async def test_a_page_left_open_for_an_hour_can_still_pay(ben: Visitor, portal: Portal) -> None:
    before = portal.identity.sessions.read_access_token(ben.cookie("access")).session_id
    await let_time_pass(portal, ben, seconds=3600)
    assert (await ben.submit("/api/me/step-up", password=PASSWORD)).status_code == 303
    answer = await ben.submit("/api/invoices/2/sso-link", page="/billing/invoices/2")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(portal.settings.whmcs_url)
    renewed = portal.identity.sessions.read_access_token(ben.cookie("access"))
    assert renewed.session_id == before and renewed.expires_at > time.time()
    # And another hour later again, with what the browser now holds.
    await let_time_pass(portal, ben, seconds=3600)
    assert (await ben.submit("/api/invoices/2/sso-link", page="/billing/invoices/2")).status_code == 303


async def test_a_page_left_open_past_the_idle_time_asks_to_sign_in(ben: Visitor, portal: Portal) -> None:
    await let_time_pass(portal, ben, seconds=portal.settings.portal_idle_seconds + 1)
    answer = await ben.submit("/api/invoices/2/sso-link", page="/billing/invoices/2")
    assert answer.status_code in (303, 401)
    assert not answer.headers.get("location", "").startswith(portal.settings.whmcs_url)
    assert (await ben.get("/dashboard")).headers["location"] == "/auth/login?next=%2Fdashboard"
