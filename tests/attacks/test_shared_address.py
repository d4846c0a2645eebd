"""Customers who share a network address with each other, and with an attacker."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from portal_app.infra.settings import Settings
from portal_app.models.lockout import SignInAttempts
from portal_app.models.user import EMAIL_PLACE
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of, new_account
from tests.support.running.world import PASSWORD, world

GONE = "redis://:x@127.0.0.1:1/0"
SHARED = "198.51.100.40"
OWN_LIMITS = {
    name: Settings.model_fields[name].default
    for name in ("portal_sign_in_limit", "portal_request_limit", "portal_account_sign_in_limit", "portal_lock_tries")
}
FAILED = sa.text("SELECT count(*) FROM audit WHERE tag = 'session:sign_in:failed' AND user_id IS NULL")


def limits(**changes: Any) -> Settings:
    """Return the settings with the limits of production, but for some."""
    return world().settings_with(**OWN_LIMITS | changes)


def own_address() -> str:
    """Return an address of a network that no other test has used."""
    return f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"


async def answer_to(visitor: Visitor, email: str, password: str = PASSWORD) -> httpx.Response:
    return await visitor.call("POST", "/api/auth/login", {"email": email, "password": password})


async def sign_in(visitor: Visitor, email: str, password: str = PASSWORD) -> int:
    return (await answer_to(visitor, email, password)).status_code


async def use_up(settings: Settings, address: str, tries: int) -> list[int]:
    """Guess at unknown addresses from a new browser."""
    guesser = Visitor(settings, address=address)
    return [await sign_in(guesser, f"{uuid4().hex}@example.jp", "wrong") for _ in range(tries)]


@pytest.mark.parametrize("at_once", [True, False])
async def test_fourteen_customers_behind_one_address_all_sign_in(portal: Portal, at_once: bool) -> None:
    async with instead_of(portal, limits()) as strict:
        address = own_address()
        customers = [(Visitor(strict.settings, address=address), await new_account(portal)) for _ in range(14)]
        if at_once:
            told = await asyncio.gather(*(sign_in(*each) for each in customers))
        else:
            told = [await sign_in(*each) for each in customers]
        assert told == [200] * 14
        # Of the tries of the address none is used up: ten wrong ones are left, and no more.
        assert await use_up(strict.settings, address, 11) == [401] * 10 + [429]


async def test_a_known_device_has_tries_that_strangers_at_its_address_cannot_use_up(portal: Portal) -> None:
    async with instead_of(portal, limits(portal_sign_in_total_limit="40/minute", redis_url=GONE)) as strict:
        owner, own = Visitor(strict.settings, address=SHARED), await new_account(portal)
        assert await sign_in(owner, own) == 200
        assert await use_up(strict.settings, SHARED, 11) == [401] * 10 + [429]
        assert await sign_in(Visitor(strict.settings, address=SHARED), own) == 429
        assert await sign_in(owner, own) == 200
        # Neither its own wrong tries nor a limit for everybody stop another known device.
        assert [await sign_in(owner, own, "wrong") for _ in range(4)] == [401] * 4
        guesses = [await use_up(strict.settings, f"203.0.113.{number}", 10) for number in range(4)]
        assert sum(each.count(401) for each in guesses) == 30
        assert await sign_in(Visitor(strict.settings, address="203.0.113.9"), own) == 429
        assert await sign_in(owner, own) == 200


async def test_strangers_lock_an_account_for_strangers_only_and_a_device_only_itself(portal: Portal) -> None:
    async with instead_of(portal, limits(portal_sign_in_limit="100/minute")) as strict:
        own = await new_account(portal)
        owner, second = (Visitor(strict.settings, address=f"198.51.100.{n}") for n in (41, 42))
        assert [await sign_in(each, own) for each in (owner, second)] == [200, 200]
        stranger = Visitor(strict.settings, address="203.0.113.41")
        assert [await sign_in(stranger, own, "wrong") for _ in range(6)] == [401] * 5 + [429]
        assert await sign_in(owner, own) == 200
        # The sign-in of the owner lifts nothing for the stranger.
        assert await sign_in(stranger, own) == 429
        assert [await sign_in(owner, own, "wrong") for _ in range(6)] == [401] * 5 + [429]
        assert [await sign_in(owner, own), await sign_in(second, own)] == [429, 200]


FORGERIES: dict[str, Callable[[str], str]] = {
    "another account's": lambda mark: mark,
    "altered": lambda mark: mark[:-1] + ("0" if mark[-1] != "0" else "1"),
    "made up": lambda _: "9999999999." + "x" * 16 + "." + "0" * 64,
    "long": lambda mark: "~".join([mark] * 20),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_mark_of_a_known_device_cannot_be_forged(portal: Portal, forgery: str) -> None:
    async with instead_of(portal, limits(portal_lock_tries=2, portal_sign_in_limit="100/minute")) as strict:
        mallory, own, other = (
            Visitor(strict.settings, address=own_address()),
            await new_account(portal),
            await new_account(portal),
        )
        assert await sign_in(mallory, own) == 200
        assert await use_up(strict.settings, "203.0.113.42", 1) == [401]
        stranger = Visitor(strict.settings, address=own_address())
        assert [await sign_in(stranger, other, "wrong") for _ in range(3)] == [401, 401, 429]
        stranger.set_cookie("known", FORGERIES[forgery](mallory.cookie("known")))
        assert await sign_in(stranger, other) == 429


async def test_a_storm_of_strangers_is_told_to_come_back_and_known_devices_get_in(portal: Portal) -> None:
    storm = {"portal_hash_queue": 6, "portal_hash_reserved": 4, "bcrypt_rounds": 9}
    async with instead_of(portal, limits(**storm)) as strict:
        owner, own = Visitor(strict.settings, address=own_address()), await new_account(strict)
        assert await sign_in(owner, own) == 200
        bots = [Visitor(strict.settings, address=f"192.0.2.{number}") for number in range(80)]
        guesses = [asyncio.create_task(answer_to(bot, f"{uuid4().hex}@example.jp", "wrong")) for bot in bots]
        told = [await sign_in(owner, own) for _ in range(3)]
        answers = await asyncio.gather(*guesses)
        assert told == [200] * 3
        refused = [answer for answer in answers if answer.status_code != 401]
        assert 0 < len(refused) < 80 and {answer.status_code for answer in refused} == {503}
        problem = refused[0].json()
        assert (problem["code"], refused[0].headers["retry-after"]) == ("overloaded", "60")
        assert problem["detail"].endswith("your password was not checked. Try again in 1 minute.")


async def test_a_password_that_was_not_checked_is_no_try_of_its_account(portal: Portal) -> None:
    storm = {"portal_hash_queue": 1, "portal_hash_reserved": 0, "bcrypt_rounds": 10, "portal_lock_tries": 100}
    async with instead_of(portal, limits(**storm)) as strict:
        own = await new_account(strict)
        visitors = [Visitor(strict.settings, address=f"192.0.2.{100 + number}") for number in range(20)]
        told = await asyncio.gather(*(sign_in(each, own, "wrong") for each in visitors))
        assert set(told) == {401, 503}
        async with strict.database.identity() as session:
            row = await session.get(SignInAttempts, strict.identity.secrets.ring.index(own, EMAIL_PLACE))
        assert row is not None and (row.tries, row.locked_until) == (told.count(401), None)


async def test_a_form_that_came_in_a_storm_says_so_on_its_page(portal: Portal) -> None:
    async with instead_of(portal, limits(portal_hash_queue=1, portal_hash_reserved=0, bcrypt_rounds=10)) as strict:
        visitors = [Visitor(strict.settings, address=f"192.0.2.{200 + number}") for number in range(12)]
        forms = (
            each.submit("/api/auth/login", page="/ja/auth/login", email=f"{uuid4().hex}@example.jp", password="wrong")
            for each in visitors
        )
        pages = {await words_on(strict, answer) for answer in await asyncio.gather(*forms)}
        assert any("ログインが集中しているため" in words and "1分後" in words for words in pages)


async def words_on(portal: Portal, answer: httpx.Response) -> str:
    flash = parse_qs(urlsplit(answer.headers["location"]).query)["flash"][0]
    return (await portal.flash_messages.read(flash))["form"]


async def test_neighbours_ask_for_mails_and_passkeys_without_using_up_each_others_tries(portal: Portal) -> None:
    async with instead_of(portal, limits()) as strict:
        neighbours = [Visitor(strict.settings, address="198.51.100.43") for _ in range(14)]
        for path in ("/api/auth/signup", "/api/auth/forgot", "/api/auth/passkey/options"):
            answers = [await each.call("POST", path, {"email": f"{uuid4().hex}@example.jp"}) for each in neighbours]
            assert {answer.status_code for answer in answers} <= {200, 202}, path


async def test_strangers_leave_only_so_many_rows_in_the_audit(portal: Portal) -> None:
    settings = limits(portal_stranger_audit_limit="3/minute", portal_sign_in_limit="100/minute")
    async with instead_of(portal, settings) as strict:
        await strict.redis.delete(*[key async for key in strict.redis.scan_iter("*sign-in-audit*")] or ["none"])
        before = await failed(strict)
        assert await use_up(strict.settings, "203.0.113.44", 8) == [401] * 8
        assert await failed(strict) - before == 3
        # What happens to an account is always written down.
        visitor, own = await Visitor(strict.settings, address=own_address()).sign_in(await new_account(portal)), ""
        own = visitor.email
        assert await sign_in(Visitor(strict.settings, address=own_address()), own, "wrong") == 401
        history = (await visitor.get("/api/me/history")).json()["items"]
        assert "session:sign_in:failed" in {entry["event"] for entry in history}


async def test_mails_asked_for_by_strangers_leave_only_so_many_rows_in_the_audit(portal: Portal) -> None:
    asked = sa.text("SELECT count(*) FROM audit WHERE tag = 'account:reset:asked' AND user_id IS NULL")

    async def rows(strict: Portal) -> int:
        async with strict.database.identity() as session:
            return int(await (await session.connection()).scalar(asked) or 0)

    async with instead_of(portal, limits(portal_stranger_audit_limit="3/minute")) as strict:
        await strict.redis.delete(*[key async for key in strict.redis.scan_iter("*reset-audit*")] or ["none"])
        before = await rows(strict)
        for _ in range(8):
            stranger = Visitor(strict.settings, address=own_address())
            answer = await stranger.call("POST", "/api/auth/forgot", {"email": f"{uuid4().hex}@example.jp"})
            assert answer.status_code == 200
        assert await rows(strict) - before == 3


async def failed(portal: Portal) -> int:
    async with portal.database.identity() as session:
        return int(await (await session.connection()).scalar(FAILED) or 0)


async def test_an_account_that_signs_in_without_end_is_held_back_and_others_are_not(portal: Portal) -> None:
    async with instead_of(portal, limits(portal_account_sign_in_limit="3/minute", portal_lock_tries=2)) as strict:
        own, other = await new_account(portal), await new_account(portal)
        told = [await sign_in(Visitor(strict.settings, address=SHARED[:-2] + "45"), own) for _ in range(6)]
        # Not counted as wrong tries either: the account is not locked.
        assert told == [200] * 3 + [429] * 3
        assert await sign_in(Visitor(strict.settings, address=SHARED[:-2] + "45"), other) == 200
