"""Fixtures of these tests."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from portal_app.wiring.portal import Portal, set_portal
from tests.support.clients.visitor import Visitor, new_account, running
from tests.support.running.world import AIKO, BEN, world


@pytest_asyncio.fixture(scope="session")
async def web_side() -> AsyncIterator[Portal]:
    """The portal of the web process, as these tests share it."""
    async with running(world().settings) as built:
        yield built


@pytest.fixture
def portal(web_side: Portal) -> Portal:
    """The portal of the web process, set as this process's own again."""
    return set_portal(web_side)


@pytest_asyncio.fixture(scope="session")
async def worker() -> AsyncIterator[Portal]:
    """The portal as the worker has it: it sees every row."""
    async with running(world().settings, "worker") as built:
        yield built


@pytest_asyncio.fixture
async def visitor(portal: Portal) -> AsyncIterator[Visitor]:
    """Somebody who is not signed in."""
    somebody = Visitor(portal.settings)
    yield somebody
    await somebody.http.aclose()


@pytest_asyncio.fixture
async def aiko(portal: Portal) -> AsyncIterator[Visitor]:
    """Aiko, signed in: no card, no services."""
    somebody = Visitor(portal.settings)
    yield await somebody.sign_in(AIKO)
    await somebody.http.aclose()


@pytest_asyncio.fixture
async def ben(portal: Portal) -> AsyncIterator[Visitor]:
    """Ben, signed in: a VPN, two invoices, a card."""
    somebody = Visitor(portal.settings)
    yield await somebody.sign_in(BEN)
    await somebody.http.aclose()


@pytest_asyncio.fixture
async def hana(portal: Portal) -> AsyncIterator[Visitor]:
    """Hana, signed in: an account of this one test, not set up at any vendor."""
    somebody = Visitor(portal.settings)
    yield await somebody.sign_in(await new_account(portal))
    await somebody.http.aclose()
