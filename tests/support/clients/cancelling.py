"""Cancel Ben's service at the API, and take it back."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.support.clients.visitor import Visitor

WHY = {"reason": "moving", "comment": "to Osaka"}


@pytest.fixture(autouse=True)
async def put_back(ben: Visitor) -> AsyncIterator[None]:
    """Let Ben keep his service, whatever a test did with it."""
    yield
    await keep(ben, await path_of(ben))


async def path_of(ben: Visitor) -> str:
    service = (await ben.get("/api/subscriptions")).json()["items"][0]
    return f"/api/subscriptions/{service['id']}"


async def cancel(somebody: Visitor, path: str, key: str = "", **body: str):
    return await somebody.call("POST", f"{path}/cancellation", WHY | body, Idempotency_Key=key or uuid4().hex)


async def keep(somebody: Visitor, path: str, key: str = ""):
    return await somebody.call("DELETE", f"{path}/cancellation", Idempotency_Key=key or uuid4().hex)
