"""Forgotten passwords, changed passwords, locked accounts."""

import asyncio
from urllib.parse import urlsplit

import pytest

from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import flash_of
from tests.support.clients.visitor import Visitor, instead_of, mailed, new_account
from tests.support.running.world import PASSWORD, world

NEW_PASSWORD = "seven green apples"


@pytest.fixture
async def email(portal: Portal) -> str:
    return await new_account(portal)


async def reset_token(visitor: Visitor, worker: Portal, email: str) -> str:
    """Ask for a link and return its token."""
    answer = await visitor.submit("/api/auth/forgot", email=email)
    assert urlsplit(answer.headers["location"]).path == "/auth/forgot"
    mail = await mailed(worker, email)
    assert mail["occasion"] == "password_reset"
    return mail["token"]


async def status_of_sign_in(visitor: Visitor, email: str, password: str) -> int:
    answer = await visitor.call("POST", "/api/auth/login", {"email": email, "password": password})
    return answer.status_code


async def test_a_mailed_link_sets_a_new_password_and_ends_every_session(
    visitor: Visitor, portal: Portal, worker: Portal, email: str
) -> None:
    before = await Visitor(visitor.settings).sign_in(email)
    token = await reset_token(visitor, worker, email)
    answer = await visitor.submit("/api/auth/set-password", password=NEW_PASSWORD, token=token)
    assert "is changed" in (await flash_of(portal, answer, "/auth/login"))["done"]
    assert not visitor.cookie("access")
    assert (await before.get("/api/me")).status_code == 401
    assert (await before.call("POST", "/api/auth/refresh")).status_code == 401
    assert await status_of_sign_in(visitor, email, PASSWORD) == 401
    await visitor.sign_in(email, NEW_PASSWORD)


async def test_the_owner_gets_a_mail_about_the_changed_password(visitor: Visitor, worker: Portal, email: str) -> None:
    token = await reset_token(visitor, worker, email)
    await visitor.submit("/api/auth/set-password", password=NEW_PASSWORD, token=token)
    assert (await mailed(worker, email))["occasion"] == "password_changed"


async def test_a_poor_password_is_refused_and_the_link_stays_good(
    visitor: Visitor, portal: Portal, worker: Portal, email: str
) -> None:
    token = await reset_token(visitor, worker, email)
    refused = await visitor.submit("/api/auth/set-password", password="short", token=token)
    assert "at least 12" in (await flash_of(portal, refused, "/auth/set-password"))["password"]
    # The fragment is removed from the address by now: the token is in a cookie.
    answer = await visitor.submit("/api/auth/set-password", password=NEW_PASSWORD)
    assert urlsplit(answer.headers["location"]).path == "/auth/login"
    assert not visitor.cookie("reset")


async def test_changing_the_password_keeps_this_session_and_ends_the_others(
    visitor: Visitor, portal: Portal, worker: Portal, email: str
) -> None:
    other = await Visitor(visitor.settings).sign_in(email)
    await visitor.sign_in(email)
    for present, password, field in (
        ("wrong", NEW_PASSWORD, "present"),
        (PASSWORD, "short", "password"),
        (PASSWORD, PASSWORD, "password"),
    ):
        answer = await visitor.submit("/api/me/password", present=present, password=password)
        assert field in await flash_of(portal, answer, "/account/password")
    answer = await visitor.submit("/api/me/password", present=PASSWORD, password=NEW_PASSWORD)
    assert "done" in await flash_of(portal, answer, "/account/password")
    assert (await visitor.get("/api/me")).status_code == 200
    assert (await other.get("/api/me")).status_code == 401
    assert (await mailed(worker, email))["occasion"] == "password_changed"


async def test_a_changed_password_voids_links_mailed_before(visitor: Visitor, worker: Portal, email: str) -> None:
    token = await reset_token(visitor, worker, email)
    await visitor.sign_in(email)
    await visitor.call("POST", "/api/me/password", {"present": PASSWORD, "password": NEW_PASSWORD})
    answer = await visitor.call("POST", "/api/auth/set-password", {"password": "nine red oranges", "token": token})
    assert answer.status_code == 401


async def test_signing_out_everywhere_ends_all_sessions(visitor: Visitor, email: str) -> None:
    other = await Visitor(visitor.settings).sign_in(email)
    await visitor.sign_in(email)
    assert (await visitor.submit("/api/auth/logout-everywhere")).headers["location"] == "/auth/login"
    assert not visitor.cookie("access")
    assert (await other.get("/api/me")).status_code == 401
    assert (await visitor.call("POST", "/api/auth/logout-everywhere")).status_code == 401


async def test_failures_lock_an_address_and_the_mailed_link_unlocks_one_browser(
    portal: Portal, worker: Portal, email: str
) -> None:
    settings = world().settings_with(portal_lock_tries=3, portal_lock_seconds=600)
    async with instead_of(portal, settings):
        mallory, owner = Visitor(settings), Visitor(settings)
        assert [await status_of_sign_in(mallory, email, "wrong") for _ in range(4)] == [401, 401, 401, 429]
        assert await status_of_sign_in(owner, email, PASSWORD) == 429
        mail = await mailed(worker, email)
        assert mail["occasion"] == "sign_in_locked"
        answer = await owner.submit("/api/auth/unlock", token=mail["token"])
        assert urlsplit(answer.headers["location"]).path == "/auth/login"
        assert await status_of_sign_in(mallory, email, PASSWORD) == 429
        assert await status_of_sign_in(owner, email, "wrong") == 401
        await owner.sign_in(email)
        # A successful sign-in of the owner lifts the lock for everybody.
        assert await status_of_sign_in(mallory, email, "wrong") == 401


async def test_an_unlock_link_allows_ten_tries(portal: Portal, worker: Portal, email: str) -> None:
    settings = world().settings_with(portal_lock_tries=2, portal_lock_seconds=600)
    async with instead_of(portal, settings):
        visitor = Visitor(settings)
        assert [await status_of_sign_in(visitor, email, "wrong") for _ in range(3)] == [401, 401, 429]
        await visitor.call("POST", "/api/auth/unlock", {"token": (await mailed(worker, email))["token"]})
        tries = [await status_of_sign_in(visitor, email, "wrong") for _ in range(11)]
        assert tries == [401] * 10 + [429]


async def test_concurrent_tries_do_not_bypass_a_lock(portal: Portal, email: str) -> None:
    settings = world().settings_with(portal_lock_tries=4, portal_lock_seconds=600)
    async with instead_of(portal, settings):
        visitor = Visitor(settings)
        statuses = await asyncio.gather(*(status_of_sign_in(visitor, email, "wrong") for _ in range(12)))
        assert sorted(statuses) == [401] * 4 + [429] * 8


async def test_each_further_failure_doubles_the_lock(portal: Portal, email: str) -> None:
    settings = world().settings_with(portal_lock_tries=2, portal_lock_seconds=0, portal_lock_longest_seconds=3600)
    async with instead_of(portal, settings):
        visitor = Visitor(settings)
        for _ in range(3):
            assert await status_of_sign_in(visitor, email, "wrong") == 401
    settings = settings.model_copy(update={"portal_lock_seconds": 60})
    async with instead_of(portal, settings):
        visitor = Visitor(settings)
        assert await status_of_sign_in(visitor, email, "wrong") == 401
        answer = await visitor.call("POST", "/api/auth/login", {"email": email, "password": "wrong"})
        # The fourth failure where two are allowed: 60 s, doubled twice.
        assert answer.status_code == 429 and 230 < int(answer.headers["retry-after"]) <= 240
