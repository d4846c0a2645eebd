"""Guessing passwords: one for many accounts, many for one, and with the counters' server gone."""

from uuid import uuid4

import pytest

from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of, mailed, new_account
from tests.support.running.world import PASSWORD, world

GONE = "redis://:x@127.0.0.1:1/0"


async def statuses(visitor: Visitor, emails: list[str], password: str = "Spring2026 flowers") -> list[int]:
    """Return what trying one password on these accounts gets."""
    entries = [{"email": email, "password": password} for email in emails]
    return [(await visitor.call("POST", "/api/auth/login", entry)).status_code for entry in entries]


async def test_one_password_for_many_accounts_stops_at_the_network_address(portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(portal_sign_in_limit="5/minute")) as strict:
        sprayer = Visitor(strict.settings, address="198.51.100.31")
        emails = [f"{uuid4().hex}@example.jp" for _ in range(8)]
        assert await statuses(sprayer, emails) == [401] * 5 + [429] * 3
        # Others are not held up by it.
        assert await statuses(Visitor(strict.settings, address="198.51.100.32"), emails[:1]) == [401]


async def test_many_addresses_together_stop_at_the_limit_for_everybody(portal: Portal) -> None:
    async with instead_of(
        portal, world().settings_with(portal_sign_in_total_limit="6/minute", redis_url=GONE)
    ) as strict:
        results = []
        for number in range(8):
            bot = Visitor(strict.settings, address=f"203.0.113.{number}")
            results += await statuses(bot, [f"{uuid4().hex}@example.jp"])
        assert results == [401] * 6 + [429] * 2


async def test_limits_and_locks_hold_while_redis_is_away(portal: Portal) -> None:
    settings = world().settings_with(portal_sign_in_limit="4/minute", portal_lock_tries=2, redis_url=GONE)
    async with instead_of(portal, settings) as strict:
        email = await new_account(portal)
        visitor = Visitor(strict.settings, address="198.51.100.33")
        assert await statuses(visitor, [email] * 3) == [401, 401, 429]
        # The refused try guessed nothing: two are left to the address.
        assert await statuses(visitor, [f"{uuid4().hex}@example.jp"] * 3) == [401, 401, 429]


async def test_a_locked_account_refuses_the_right_password_too(portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(portal_lock_tries=2)) as strict:
        email = await new_account(portal)
        visitor = Visitor(strict.settings)
        await statuses(visitor, [email, email.upper()])
        assert await statuses(visitor, [email, f" {email} "], PASSWORD) == [429, 429]


@pytest.mark.parametrize("key", ["x", "", "A" * 43])
async def test_a_made_up_unlock_key_opens_nothing(portal: Portal, key: str) -> None:
    async with instead_of(portal, world().settings_with(portal_lock_tries=2)) as strict:
        email = await new_account(portal)
        visitor = Visitor(strict.settings)
        await statuses(visitor, [email, email])
        visitor.set_cookie("unlock", key)
        assert await statuses(visitor, [email], PASSWORD) == [429]
        assert (await visitor.call("POST", "/api/auth/unlock", {"token": key})).status_code == 401


async def test_one_accounts_unlock_key_does_not_open_another(portal: Portal, worker: Portal) -> None:
    async with instead_of(portal, world().settings_with(portal_lock_tries=2)) as strict:
        own, other = await new_account(portal), await new_account(portal)
        visitor = Visitor(strict.settings)
        await statuses(visitor, [own, own, other, other])
        token = (await mailed(worker, own))["token"]
        await visitor.call("POST", "/api/auth/unlock", {"token": token})
        assert visitor.cookie("unlock")
        assert await statuses(visitor, [other], PASSWORD) == [429]
        assert await statuses(visitor, [own], PASSWORD) == [200]
