"""Fixtures of these tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from portal_app.infra.settings import Settings
from portal_app.wiring.portal import Portal, build
from tests.faults.boundary import Boundaries, watched_boundaries
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.processes import Processes
from tests.support.running.world import world


@pytest.fixture(scope="package")
def settings() -> Settings:
    """Settings under which work is looked for often, lost answers settle soon and a vendor's return is noticed soon."""
    return world().settings_with(
        # More often, and idle workers keep the machine busy: each look is a dozen statements.
        portal_poll_seconds=0.25,
        portal_retry_seconds=1.0,
        portal_breaker_seconds=1.0,
        # Longer than a killed worker's call may go on at a vendor that is slow because the machine is.
        whmcs_settle_seconds=3.0,
        whmcs_timeout=5.0,
        portal_card_poll_seconds=1.0,
        freebit_poll_seconds=0.3,
        freebit_pending_seconds=2,
        freebit_lock_seconds=2,
        freebit_timeout=5.0,
        portal_top_up_poll_seconds=0.3,
        portal_top_up_unknown_seconds=4.0,
        # Messages of support cases are sent at once.
        portal_undo_seconds=0,
    )


@pytest_asyncio.fixture(scope="package")
async def web(settings: Settings) -> AsyncIterator[Portal]:
    """The portal of the web process."""
    built = build(settings, role="web")
    yield built
    await built.close()


@pytest_asyncio.fixture(scope="package")
async def worker_side(settings: Settings) -> AsyncIterator[Portal]:
    """The portal as the worker has it: it sees every row."""
    built = build(settings, role="worker")
    yield built
    await built.close()


@pytest_asyncio.fixture
async def driver(web: Portal, worker_side: Portal) -> AsyncIterator[PortalDriver]:
    """Customers, orders, the back office and the counts; every vendor is healthy before and after."""
    own = PortalDriver(web, worker_side, world().office, world().postgres.url())
    await own.all_well()
    yield own
    await own.all_well()
    await own.close()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Workers and listeners to start; none outlives the test."""
    own = Processes(tmp_path)
    yield own
    own.kill_all()


@pytest_asyncio.fixture
async def boundaries() -> AsyncIterator[Boundaries]:
    """A watch over the steps of all workflows."""
    async with watched_boundaries(world().postgres.url()) as watch:
        yield watch
