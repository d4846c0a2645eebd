"""Network addresses that the caller makes up to slip under a limit."""

import secrets

import pytest

from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import world

# One household's network: any of its addresses is free to take.
HOUSEHOLD = "2001:db8:77:1::"
ENTRIES = {"email": "nobody@example.jp", "password": "wrong"}


async def statuses(visitor: Visitor, forwarded: list[str]) -> list[int]:
    """Return what sign-in tries with these forwarded addresses get."""
    answers = [
        await visitor.call("POST", "/api/auth/login", ENTRIES, X_Forwarded_For=address, X_Real_IP=address)
        for address in forwarded
    ]
    return [answer.status_code for answer in answers]


async def test_a_made_up_address_does_not_lift_the_limit(portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(portal_sign_in_limit="2/minute")) as strict:
        mallory = Visitor(strict.settings, address="198.51.100.21")
        assert await statuses(mallory, ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) == [401, 401, 429]
        await mallory.http.aclose()


async def test_behind_one_proxy_only_its_own_entry_counts(portal: Portal) -> None:
    settings = world().settings_with(portal_sign_in_limit="2/minute", portal_trusted_proxies=1)
    async with instead_of(portal, settings):
        proxy = Visitor(settings, address="127.0.0.1")
        made_up = [f"10.0.0.{number}, 198.51.100.22" for number in range(3)]
        assert await statuses(proxy, made_up) == [401, 401, 429]
        assert await statuses(proxy, ["198.51.100.22, 198.51.100.23"]) == [401]
        await proxy.http.aclose()


async def test_forty_addresses_of_one_ipv6_network_are_counted_as_one(portal: Portal) -> None:
    settings = world().settings_with(portal_sign_in_limit="10/minute", portal_trusted_proxies=1)
    async with instead_of(portal, settings):
        proxy = Visitor(settings)
        found = await statuses(proxy, [f"{HOUSEHOLD}{number:x}" for number in range(1, 41)])
        assert found == [401] * 10 + [429] * 30
        assert await statuses(proxy, ["2001:db8:77:2::1"]) == [401]
        await proxy.http.aclose()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/auth/signup", {"email": "new@example.jp"}),
        ("/api/auth/migrate", {"email": "moving@example.jp"}),
        ("/api/auth/forgot", {"email": "nobody@example.jp"}),
        ("/api/auth/passkey", {"passkey": "{}"}),
        ("/api/auth/passkey/options", None),
    ],
)
async def test_every_limit_by_address_counts_the_network(
    portal: Portal, path: str, body: dict[str, str] | None
) -> None:
    settings = world().settings_with(portal_request_limit="2/minute", portal_trusted_proxies=1)
    async with instead_of(portal, settings):
        proxy = Visitor(settings)
        network = f"2001:db8:{secrets.randbelow(2**16):x}:1::"
        found = [
            (await proxy.call("POST", path, body, X_Forwarded_For=f"{network}{number}")).status_code
            for number in range(1, 4)
        ]
        assert found[2] == 429 and 429 not in found[:2]
        await proxy.http.aclose()


async def test_the_calendar_is_limited_by_network(portal: Portal) -> None:
    settings = world().settings_with(portal_calendar_limit="2/minute", portal_trusted_proxies=1)
    async with instead_of(portal, settings):
        proxy = Visitor(settings)
        headers = [{"X-Forwarded-For": f"2001:db8:78:1::{number}"} for number in range(1, 4)]
        found = [(await proxy.http.get(f"/calendar/{'x' * 43}.ics", headers=each)).status_code for each in headers]
        assert found == [404, 404, 429]
        await proxy.http.aclose()
