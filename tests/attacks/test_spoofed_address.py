"""Network addresses that the caller makes up to slip under a limit."""

from portal_app.wiring.portal import Portal
from tests.contract.api.visitor import Visitor, instead_of
from tests.world import world

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
