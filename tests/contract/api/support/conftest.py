"""Fixtures of these tests."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.running.world import world


@pytest.fixture
async def office() -> AsyncIterator[httpx.AsyncClient]:
    """The back office, where an agent works."""
    async with httpx.AsyncClient(base_url=f"{world().office}/api", timeout=20) as client:
        yield client
