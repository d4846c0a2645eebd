"""Codes of the second step that are replayed, guessed, shared or used around the password."""

import asyncio
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from portal_app.infra.clock import now
from portal_app.infra.security.cookies import cookie_name
from portal_app.models.mfa import PendingSignIn
from portal_app.wiring.portal import Portal
from tests.support.clients.authenticator import password_only, turn_on
from tests.support.clients.visitor import Visitor, instead_of, mailed, new_account
from tests.support.running.world import world

STEP = "/api/auth/second-step"


async def status_of(somebody: Visitor, code: str) -> int:
    """Return what a code gets."""
    return (await somebody.call("POST", STEP, {"code": code})).status_code


async def test_a_code_signs_in_once_even_when_sent_concurrently(hana: Visitor, portal: Portal) -> None:
    app = await turn_on(hana)
    code = app.code()
    thieves = [await password_only(portal.settings, hana.email) for _ in range(8)]
    assert sorted(await asyncio.gather(*(status_of(each, code) for each in thieves))) == [200] + [422] * 7


async def test_an_older_code_is_refused_after_a_newer_one_was_used(hana: Visitor, portal: Portal) -> None:
    app = await turn_on(hana)
    older, newer = app.code(), app.code(1)
    assert await status_of(await password_only(portal.settings, hana.email), newer) == 200
    assert await status_of(await password_only(portal.settings, hana.email), older) == 422
    assert await status_of(await password_only(portal.settings, hana.email), newer) == 422


async def test_codes_more_than_a_step_away_are_refused(hana: Visitor, portal: Portal) -> None:
    app = await turn_on(hana)
    pending = await password_only(portal.settings, hana.email)
    # A minute away at least, whenever in its step this runs.
    assert {await status_of(pending, app.code(steps)) for steps in (-4, -3, 3, 4)} == {422}


async def test_a_recovery_code_works_once_even_when_sent_concurrently(hana: Visitor, portal: Portal) -> None:
    app = await turn_on(hana)
    thieves = [await password_only(portal.settings, hana.email) for _ in range(8)]
    answers = await asyncio.gather(*(status_of(each, app.recovery_codes[0]) for each in thieves))
    assert sorted(answers) == [200] + [422] * 7


async def test_guessing_ends_the_sign_in_after_five_tries_and_tells_the_owner(
    hana: Visitor, portal: Portal, worker: Portal
) -> None:
    app = await turn_on(hana)
    pending = await password_only(portal.settings, hana.email)
    answers = await asyncio.gather(*(status_of(pending, app.wrong()) for _ in range(12)))
    assert sorted(answers) == [401] * 8 + [422] * 4
    assert await status_of(pending, app.code()) == 401
    assert (await mailed(worker, hana.email))["occasion"] == "second_step_failed"


async def test_guessing_is_limited_over_all_sign_ins_of_an_account(hana: Visitor, portal: Portal) -> None:
    app = await turn_on(hana)
    async with instead_of(portal, world().settings_with(portal_factor_limit="6/minute")):
        answers = []
        for _ in range(3):
            pending = await password_only(portal.settings, hana.email)
            answers += [await status_of(pending, app.wrong()) for _ in range(3)]
        assert answers == [422] * 6 + [429] * 3
        assert await status_of(pending, app.code()) == 429


async def test_a_pending_sign_in_is_no_session_and_ends_when_used_or_expired(hana: Visitor, portal: Portal) -> None:
    app = await turn_on(hana)
    pending = await password_only(portal.settings, hana.email)
    token = pending.cookie("second")
    for kind in ("access", "refresh"):
        pending.set_cookie(kind, token)
    assert (await pending.get("/api/me")).status_code == 401
    assert (await pending.call("POST", "/api/auth/refresh")).status_code == 401
    assert await status_of(pending, app.code()) == 200
    late = await password_only(portal.settings, hana.email)
    async with portal.database.identity() as session:
        old = sa.update(PendingSignIn).values(expires_at=now() - timedelta(seconds=1))
        await (await session.connection()).execute(old.where(col(PendingSignIn.attempts_left) > 0))
    assert await status_of(late, app.code(1)) == 401
    thief = Visitor(portal.settings)
    thief.http.cookies.set(cookie_name(portal.settings, "second"), token, domain="localhost.local")
    assert await status_of(thief, app.code(1)) == 401


async def test_another_accounts_code_is_refused(hana: Visitor, portal: Portal) -> None:
    await turn_on(hana)
    somebody = await Visitor(portal.settings).sign_in(await new_account(portal))
    theirs = await turn_on(somebody)
    pending = await password_only(portal.settings, hana.email)
    assert await status_of(pending, theirs.code()) == 422
    assert await status_of(pending, theirs.recovery_codes[0]) == 422


async def test_a_password_reset_keeps_the_second_factor(
    hana: Visitor, visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    await turn_on(hana)
    await visitor.call("POST", "/api/auth/forgot", {"email": hana.email})
    mail = await mailed(worker, hana.email)
    changed = "another long password of mine"
    await portal.identity.password_changes.reset(mail["token"], changed)
    answer = await visitor.submit("/api/auth/login", email=hana.email, password=changed)
    assert answer.headers["location"] == "/auth/second-step"
    assert not visitor.cookie("access")


async def test_completing_the_second_factor_keeps_no_planted_session(
    hana: Visitor, aiko: Visitor, portal: Portal
) -> None:
    app = await turn_on(hana)
    planted = aiko.cookie("access")
    victim = await password_only(portal.settings, hana.email)
    victim.set_cookie("access", planted)
    assert await status_of(victim, app.code()) == 200
    assert (
        portal.identity.sessions.read_access_token(victim.cookie("access")).session_id
        != portal.identity.sessions.read_access_token(planted).session_id
    )
    assert (await victim.get("/api/me")).json()["email"] == hana.email
