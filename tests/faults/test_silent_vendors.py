"""No vendor says anything and nothing is young: every page and every reading of the API is answered all the same."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from reflex_base.utils.format import format_event_handler

from portal_app.api.application import build_api
from portal_app.infra.redis_client import connect
from portal_app.infra.settings import Settings
from portal_app.pages import everything
from portal_app.pages.page import PAGES
from tests.attacks.raw_socket import raw_socket
from tests.attacks.web_process import running_web
from tests.faults.waiting import until
from tests.world import BEN, PASSWORD, world

assert everything
VENDORS = ("whmcs", "salesforce", "freebit")
# A vendor's call takes far longer than these tests: who waits for one is not answered.
SETTINGS = {
    "whmcs_timeout": 300.0, "sf_timeout": 300.0, "freebit_timeout": 300.0, "mirror_patience_seconds": 1.0,
    "portal_breaker_failures": 1000, "cache_profile_seconds": 1, "cache_eligibility_seconds": 1,
    "cache_invoices_seconds": 1, "cache_invoice_seconds": 1, "cache_subscriptions_seconds": 1,
    "mirror_trust_seconds": 1,
}  # fmt: skip
IDS = {
    "{category}": "vpn", "{invoice_id}": "2", "[invoice_id]": "2", "{service_id}": "1", "[service_id]": "1",
    "{order_id}": "00000000-0000-4000-8000-000000000000", "[order_id]": "00000000-0000-4000-8000-000000000000",
}  # fmt: skip
# Operators ask these how a vendor does.
OPERATORS = "/api/health/"
ENDS = ('loading_rx_state_":false', '"_redirect"')


@dataclass(frozen=True)
class Looker:
    """Somebody who is signed in at a web process."""

    settings: Settings
    http: httpx.AsyncClient

    async def read(self, path: str) -> int:
        """Return the status of an address."""
        return (await self.http.get(path)).status_code

    async def open(self, handler: str, path: str) -> str:
        """Open a live page and return what it is told until it has a face."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        async with raw_socket(self.settings, cookies=cookies) as tab:

            async def has_face() -> bool:
                return any(end in message for message in tab.told for end in ENDS)

            await tab.send(handler, path=path)
            await until(has_face, 60, f"{path} has a face")
            return " ".join(tab.told)


def with_ids(path: str) -> str:
    for name, value in IDS.items():
        path = path.replace(name, value)
    return path


def addresses() -> list[str]:
    """Return every address of the API that can be read: a new one is among them."""
    paths: dict[str, dict[str, object]] = build_api(world().settings).openapi()["paths"]
    known = [with_ids(path) for path, methods in paths.items() if "get" in methods]
    return [path for path in known if "{" not in path and not path.startswith(OPERATORS)]


def live_pages() -> list[tuple[str, str]]:
    """Return the handler that opens each live page, and an address of it: a new one is among them."""
    plans = {"/checkout": "/checkout?plan=VPN-REMOTE-ACCESS-UK-LONDON", "/catalog/[category]": "/catalog/vpn"}
    opening = [(format_event_handler(page.load), page.route) for page in PAGES if page.load is not None]
    return [(handler, plans.get(route) or with_ids(route)) for handler, route in opening]


async def forget_all_answers() -> None:
    """Take everything that is kept from Redis: nobody has looked at anything yet."""
    redis = connect(world().settings.redis_url, seconds=5)
    async for key in redis.scan_iter("c:*"):
        await redis.delete(key)
    await redis.aclose()


@pytest_asyncio.fixture
async def ben(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Looker]:
    """Ben, who has looked at nothing yet; every vendor is well before and after."""
    with running_web(tmp_path_factory.mktemp("web") / "log", **SETTINGS) as settings:
        async with httpx.AsyncClient(base_url=settings.portal_url, timeout=120) as http:
            entries = {"email": BEN, "password": PASSWORD}
            (await http.post("/api/auth/login", json=entries)).raise_for_status()
            await forget_all_answers()
            yield Looker(settings, http)
            for vendor in VENDORS:
                world().set_mood(vendor)


async def test_everything_is_answered_while_no_vendor_says_anything(ben: Looker) -> None:
    paths, pages = addresses(), live_pages()
    assert len(paths) > 20 and len(pages) > 35
    for vendor in VENDORS:
        world().set_mood(vendor, broken="silence")
    async with asyncio.timeout(60):
        statuses = dict(zip(paths, await asyncio.gather(*(ben.read(path) for path in paths)), strict=True))
        await asyncio.gather(*(ben.open(handler, path) for handler, path in pages))
    assert set(statuses.values()) <= {200, 404, 503}, statuses
    assert statuses["/api/services/vpn"] == 503 and statuses["/api/orders"] == 200
