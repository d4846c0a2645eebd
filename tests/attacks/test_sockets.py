"""Sockets that borrow another tab's token, come from elsewhere, or stay open when their session is over."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col
from websockets.exceptions import ConnectionClosed, InvalidStatus

from benchmarks.event_socket import EventSocket, event_socket
from portal_app.domain.status.announcement import NewAnnouncement, Words
from portal_app.infra.clock import now
from portal_app.models.session import Session
from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import aged_access
from tests.support.clients.visitor import new_account
from tests.support.running.site import ACCOUNT, HYDRATE, MUST_RELOAD, Site, received_until, running_site
from tests.support.running.world import AIKO, BEN, PASSWORD, world
from tests.support.waiting import LONGEST_SECONDS

_PAGES = "reflex___state____state.portal_app___state___"
DASHBOARD = f"{_PAGES}dashboard___dashboard____dashboard_page.load"
NEW_CASE = f"{_PAGES}support___new_case____new_case_page.load"
# Enough sockets that both workers have had some.
OFTEN = 6
# Of every new account: it is not set up at any vendor, so the page shows no more than that.
NAME = "Hana Sato"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site") / "web.log") as running:
        yield running


@asynccontextmanager
async def open_account(site: Site, cookies: str, *, shows: str, token: str = "") -> AsyncIterator[EventSocket]:
    """Open the account page in a tab and wait until it shows whose it is."""
    async with event_socket(site.url, "/account", cookies=cookies, token=token) as tab:
        await tab.send(HYDRATE)
        await tab.send(ACCOUNT)
        await received_until(tab, f'"{shows}"')
        yield tab


async def seen_with(site: Site, token: str, cookies: str) -> str:
    """Return all that a borrowed token shows, over several sockets."""
    seen = ""
    for _ in range(OFTEN):
        async with event_socket(site.url, "/account", cookies=cookies, token=token) as tab:
            await tab.send(HYDRATE)
            await tab.send(ACCOUNT)
            seen += await received_until(tab, f'"{AIKO}"', MUST_RELOAD)
    return seen


@pytest.mark.parametrize("thief", ["nobody", "Aiko"])
async def test_a_borrowed_tab_shows_nothing_of_its_owner(site: Site, thief: str) -> None:
    cookies = site.sign_in(AIKO)[1] if thief == "Aiko" else ""
    browser, owner = site.sign_in(BEN)
    token = str(uuid.uuid4())
    async with open_account(site, owner, shows=BEN, token=token):
        seen = await seen_with(site, token, cookies)
    seen += await seen_with(site, token, cookies)
    async with open_account(site, owner, shows=BEN, token=token):
        browser.post("/api/auth/logout", headers={"Origin": site.url})
    seen += await seen_with(site, token, cookies)
    assert "Ben Carter" not in seen and BEN not in seen
    assert (AIKO in seen) == (thief == "Aiko")


async def test_the_owner_of_a_stolen_tab_sees_nothing_of_the_thief(site: Site) -> None:
    token, (_, ben), (_, aiko) = str(uuid.uuid4()), site.sign_in(BEN), site.sign_in(AIKO)
    async with open_account(site, ben, shows=BEN, token=token):
        pass
    async with open_account(site, aiko, shows=AIKO, token=token):
        pass
    async with event_socket(site.url, "/account", cookies=ben, token=token) as tab:
        await tab.send(HYDRATE)
        await tab.send(ACCOUNT)
        assert AIKO not in await received_until(tab, f'"{BEN}"')


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "{url}.evil.example", "http://localhost", "{url}/"])
async def test_a_socket_from_another_site_is_refused_with_good_cookies(site: Site, origin: str) -> None:
    _, cookies = site.sign_in(BEN)
    with pytest.raises((InvalidStatus, ConnectionClosed)):
        async with event_socket(site.url, "/account", cookies=cookies, origin=origin.format(url=site.url)):
            pass


async def test_a_socket_without_an_origin_needs_a_cookie(site: Site) -> None:
    async with event_socket(site.url, "/account", origin="") as tab:
        await tab.send(ACCOUNT)
        assert "@example.jp" not in await received_until(tab, MUST_RELOAD)


async def signed_out(portal: Portal, session_id: UUID) -> None:
    await portal.identity.sessions.end(session_id)


async def banned(portal: Portal, session_id: UUID) -> None:
    async with portal.database.identity() as session:
        user_id = (await session.get_one(Session, session_id)).user_id
    await portal.identity.sessions.end_all(user_id, because="banned")


async def password_changed(portal: Portal, session_id: UUID) -> None:
    async with portal.database.identity() as session:
        user_id = (await session.get_one(Session, session_id)).user_id
    new = "another long password of mine"
    # From another device: that one stays, this one ends.
    await portal.identity.password_changes.change(user_id, uuid.uuid4(), PASSWORD, password=new)


async def grown_old(portal: Portal, session_id: UUID) -> None:
    await _set(portal, session_id, expires_at=now() - timedelta(seconds=1))


async def left_idle(portal: Portal, session_id: UUID) -> None:
    await _set(portal, session_id, used_at=now() - timedelta(days=1))


async def _set(portal: Portal, session_id: UUID, **values: object) -> None:
    async with portal.database.identity() as session:
        change = sa.update(Session).where(col(Session.id) == session_id).values(**values)
        await (await session.connection()).execute(change)


@pytest.mark.parametrize("end", [signed_out, banned, password_changed, grown_old, left_idle])
async def test_an_open_socket_is_notified_when_its_session_ends_and_gets_nothing_more(
    site: Site, portal: Portal, end: Callable[[Portal, UUID], Awaitable[None]]
) -> None:
    email = await new_account(portal)
    browser, cookies = site.sign_in(email)
    access = next(value for name, value in browser.cookies.items() if "access" in name)
    async with open_account(site, cookies, shows=NAME) as tab:
        await end(portal, portal.identity.sessions.read_access_token(access).session_id)
        shown = await received_until(tab, MUST_RELOAD)
        assert '"signed_in_rx_state_":false' in shown
        await tab.send(ACCOUNT)
        await tab.send(HYDRATE)
        assert NAME not in await received_until(tab, MUST_RELOAD)
    # Caches of a few seconds may still hold a session that expired, because no end was published.
    async with asyncio.timeout(LONGEST_SECONDS):
        while browser.get("/api/me").status_code != 401:
            await asyncio.sleep(0.05)


async def test_a_socket_outlives_its_access_token_but_a_new_one_does_not_open_with_it(site: Site) -> None:
    browser, cookies = site.sign_in(BEN)
    access = next(value for name, value in browser.cookies.items() if "access" in name)
    # Two seconds are left of its ten minutes.
    cookies = cookies.replace(access, aged_access(access, seconds=world().settings.portal_access_seconds - 2))
    async with open_account(site, cookies, shows=BEN) as tab:
        while True:
            async with event_socket(site.url, "/account", cookies=cookies) as late:
                await late.send(ACCOUNT)
                if MUST_RELOAD in await received_until(late, MUST_RELOAD, f'"{BEN}"'):
                    break
        await tab.send(HYDRATE)
        assert MUST_RELOAD not in await received_until(tab, f'"{BEN}"', MUST_RELOAD)


async def test_what_is_announced_reaches_the_open_pages_of_everybody_until_it_is_over(
    site: Site, worker: Portal
) -> None:
    (_, ben), (_, aiko) = site.sign_in(BEN), site.sign_in(AIKO)
    title = f"Cut {uuid.uuid4().hex}"
    words = {language: Words(title, "All lines") for language in ("en", "ja")}
    new = NewAnnouncement.parse(kind="outage", words=words, services="", areas="", begins_at=now(), until=None)
    async with (
        open_page(site, "/dashboard", DASHBOARD, ben, shows="Hello, ") as dashboard,
        open_page(site, "/support/new", NEW_CASE, aiko, shows="Billing and payment") as form,
    ):
        known = await worker.status.publishing.publish(new)
        for tab in (dashboard, form):
            await received_until(tab, title)
        await worker.status.publishing.end(known)
        for tab in (dashboard, form):
            await received_until(tab, '"incidents_rx_state_":[]')


@asynccontextmanager
async def open_page(site: Site, path: str, load: str, cookies: str, *, shows: str) -> AsyncIterator[EventSocket]:
    """Open a page in a tab and wait until it shows some words."""
    async with event_socket(site.url, path, cookies=cookies) as tab:
        await tab.send(HYDRATE)
        await tab.send(load)
        await received_until(tab, shows)
        yield tab
