"""A client of the sandbox's WHMCS, shared by the tests of this folder."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from portal_app.domain.money import Money
from portal_app.domain.orders.order import OrderLine
from portal_app.domain.profile.customer import Profile
from portal_app.integrations.build import Vendors, build_vendors
from sandbox.faults import FaultSettings
from tests.contract.lanes.servers import RunningSandbox, redis, redis_url, sandbox

__all__ = ["redis", "redis_url", "sandbox"]
FORM = {
    "first_name": "Hanako", "last_name": "Sato", "phone": "090-1234-5678", "first_name_kana": "ハナコ",
    "last_name_kana": "サトウ", "postcode": "106-0044", "prefecture": "東京都", "city": "港区", "town": "東麻布",
    "street": "１-5", "building": "ビル101", "city_romanised": "Minato-ku", "town_romanised": "Higashiazabu",
    "building_romanised": "Biru 101",
}  # fmt: skip
VPN = OrderLine("VPN-REMOTE-ACCESS-USA-SF", "VPN", "monthly", Money(2500), "01uxx0000000001", 33)
FEE = OrderLine("VPN-ACTIVATION-FEE", "Fee", "onetime", Money(3000), "01uxx0000000002", 37)


@pytest.fixture
async def vendors(sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[Vendors]:
    """The gateways at a sandbox that is well again afterwards."""
    built = build_vendors(sandbox.settings, redis)
    yield built
    await built.close()
    sandbox.faults.set("whmcs", FaultSettings())


def newcomer() -> Profile:
    """Return somebody new."""
    return Profile.parse(f"{uuid4().hex}@example.jp", FORM)


async def sign_up(vendors: Vendors) -> int:
    """Add a client of one's own and return its id."""
    return await vendors.clients.add_client(
        newcomer(), customer_number=f"C{uuid4().int % 10**8:08}", password=uuid4().hex
    )
