"""Fixtures of these tests."""

from collections.abc import AsyncIterator

import pytest_asyncio

from portal_app.wiring import Portal, build, use
from tests.contract.api.visitor import Visitor
from tests.world import AIKO, BEN, world


@pytest_asyncio.fixture(scope="package")
async def portal() -> AsyncIterator[Portal]:
    """The portal of the web process."""
    built = use(build(world().settings, role="web"))
    yield built
    await built.close()


@pytest_asyncio.fixture(scope="package")
async def worker() -> AsyncIterator[Portal]:
    """The portal as the worker has it: it sees every row."""
    built = build(world().settings, role="worker")
    yield built
    await built.close()


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
