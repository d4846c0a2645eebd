"""No vendor says anything, and nothing is young: all is answered all the same, and nobody waits for another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
from reflex_base.utils.format import format_event_handler

from portal_app.api.application import build_api
from portal_app.infra.redis.client import connect
from portal_app.infra.redis.live import Change
from portal_app.infra.settings import Settings
from portal_app.models.user import EMAIL_PLACE, User
from portal_app.pages import all_pages
from portal_app.pages.shell.page import PAGES
from portal_app.services.notifications.notices import raise_notice
from portal_app.wiring.portal import Portal
from tests.support.clients.raw_socket import RawSocket, raw_socket
from tests.support.running.web_process import running_web
from tests.support.running.world import BEN, PASSWORD, world
from tests.support.waiting import LONGEST_SECONDS, until

assert all_pages
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
CHECKOUT = "/checkout?plan=VPN-REMOTE-ACCESS-UK-LONDON"
# What an address needs beside its path.
QUERIES = {"/api/cases/context": "?about=invoice:2"}
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
        """Open a live page and return what it receives until it has rendered."""
        async with self.tab(handler, path) as tab:
            return " ".join(tab.received)

    @asynccontextmanager
    async def tab(self, handler: str, path: str) -> AsyncIterator[RawSocket]:
        """Keep a live page open once it has rendered."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        async with raw_socket(self.settings, cookies=cookies) as tab:

            async def has_face() -> bool:
                return any(end in message for message in tab.received for end in ENDS)

            await tab.send(handler, path=path)
            await until(has_face, f"{path} has a face")
            yield tab


def with_ids(path: str) -> str:
    for name, value in IDS.items():
        path = path.replace(name, value)
    return path


def addresses() -> list[str]:
    """Return every address of the API that can be read: a new one is among them."""
    paths: dict[str, dict[str, object]] = build_api(world().settings).openapi()["paths"]
    known = [with_ids(path) for path, methods in paths.items() if "get" in methods]
    return [path + QUERIES.get(path, "") for path in known if "{" not in path and not path.startswith(OPERATORS)]


def live_pages() -> list[tuple[str, str]]:
    """Return the handler that opens each live page, and an address of it: a new one is among them."""
    plans = {"/checkout": CHECKOUT, "/catalog/[category]": "/catalog/vpn"}
    opening = [(format_event_handler(page.load), page.route) for page in PAGES if page.load is not None]
    return [(handler, plans.get(route) or with_ids(route)) for handler, route in opening]


async def forget_all_answers() -> None:
    """Take everything that is kept from Redis: nobody has looked at anything yet."""
    redis = connect(world().settings.redis_url, seconds=5)
    async for key in redis.scan_iter("c:*"):
        await redis.delete(key)
    await redis.aclose()


@asynccontextmanager
async def looking(log: Path, **changes: float) -> AsyncIterator[Looker]:
    """Let Ben sign in, who has looked at nothing yet; every vendor is well before and after."""
    with running_web(log, **SETTINGS | changes) as settings:
        async with httpx.AsyncClient(base_url=settings.portal_url, timeout=LONGEST_SECONDS) as http:
            entries = {"email": BEN, "password": PASSWORD}
            (await http.post("/api/auth/login", json=entries)).raise_for_status()
            await forget_all_answers()
            try:
                yield Looker(settings, http)
            finally:
                for vendor in VENDORS:
                    world().set_faults(vendor)


async def test_every_route_and_page_answers_while_all_vendors_are_silent(tmp_path: Path) -> None:
    async with looking(tmp_path / "log") as ben:
        paths, pages = addresses(), live_pages()
        assert len(paths) > 20 and len(pages) > 35
        for vendor in VENDORS:
            world().set_faults(vendor, broken="silence")
        async with asyncio.timeout(LONGEST_SECONDS):
            statuses = dict(zip(paths, await asyncio.gather(*(ben.read(path) for path in paths)), strict=True))
            await asyncio.gather(*(ben.open(handler, path) for handler, path in pages))
        assert set(statuses.values()) <= {200, 404, 503}, statuses
        assert statuses["/api/services/vpn"] == 503 and statuses["/api/orders"] == 200


async def test_a_page_that_waits_for_a_vendor_delays_no_push_of_another(tmp_path: Path, worker_side: Portal) -> None:
    pages = {path: handler for handler, path in live_pages()}
    async with worker_side.database.identity() as session:
        user = await User.by_email(session, worker_side.identity.secrets.ring.index(BEN, EMAIL_PLACE))
    async with (
        looking(tmp_path / "log", mirror_patience_seconds=300.0, cache_subscriptions_seconds=0) as ben,
        ben.tab(pages["/subscriptions"], "/subscriptions"),
        ben.tab(pages["/orders"], "/orders") as other,
    ):
        world().set_faults("whmcs", broken="silence")
        await worker_side.live.publish(Change(user.id, "billing"))
        other.received.clear()
        async with worker_side.database.unit_of_work() as session:
            what = {"source_id": uuid4().hex, "subject": "Fibre", "path": "/orders"}
            await raise_notice(session, "order_active", user_id=user.id, **what)
        await worker_side.live.publish(Change(user.id, "notices"))
        await other.wait_for_words("unread")


async def test_a_page_that_failed_to_load_is_shown_after_a_push(tmp_path: Path, worker_side: Portal) -> None:
    pages = {path: handler for handler, path in live_pages()}
    async with worker_side.database.identity() as session:
        user = await User.by_email(session, worker_side.identity.secrets.ring.index(BEN, EMAIL_PLACE))
    async with looking(tmp_path / "log") as ben:
        world().set_faults("whmcs", down=True)
        async with ben.tab(pages[CHECKOUT], CHECKOUT) as tab:
            await tab.wait_for_words('"problem_rx_state_":"', "checkout_page")
            world().set_faults("whmcs")

            async def is_shown() -> bool:
                # A push while a call of the outage is still under way shares its failure.
                await worker_side.live.publish(Change(user.id, "billing"))
                with suppress(TimeoutError):
                    await asyncio.wait_for(tab.wait_for_words("checkout_page", '"shown_rx_state_":true'), 3.0)
                    return True
                return False

            await until(is_shown, "the page is shown after a push")
