"""Fixtures of these tests."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.contract.sandbox_salesforce.running import Keys, Org, make_keys, running_org
from tests.contract.sandbox_salesforce.subscriber import PubSubClient


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Make the certificates and the connected app's key pair."""
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
async def shared_org(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Org]:
    """Run one sandbox for the whole session."""
    folder = tmp_path_factory.mktemp("sandbox")
    async with running_org(keys, folder) as org:
        yield org


@pytest.fixture
def org(shared_org: Org) -> Org:
    """Hand out the running sandbox with nothing in it."""
    shared_org.store.reset()
    return shared_org


@pytest.fixture
async def api(org: Org) -> AsyncIterator[httpx.AsyncClient]:
    """Return an HTTP client that is logged in and speaks to one API version."""
    headers = {"Authorization": f"Bearer {await org.token()}"}
    base_url = f"{org.http_url}/services/data/v62.0"
    async with httpx.AsyncClient(base_url=base_url, headers=headers, trust_env=False, verify=False) as client:
        yield client


@pytest.fixture
async def pubsub(org: Org) -> AsyncIterator[PubSubClient]:
    """Return a Pub/Sub client that is logged in."""
    async with PubSubClient(org, await org.token()) as client:
        yield client
