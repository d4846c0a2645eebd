"""A write whose answer was lost is looked up before a repeat, and never repeated while it may still run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, OutcomeUnknown
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.models.order import OrderRow
from portal_app.services.orders.timeline import lock_order
from portal_app.services.write_guard import WriteGuard

SETTLE = timedelta(seconds=60)


@dataclass
class Vendor:
    """Takes an order or raises a scripted error; has a clock."""

    error: Exception | None = None
    is_taken: bool = False
    asked: list[str] = field(default_factory=list)
    time: datetime = field(default_factory=now)

    async def take(self) -> str:
        self.asked.append("take")
        if self.error is not None:
            raise self.error
        self.is_taken = True
        return "taken"

    async def look_up(self) -> str | None:
        self.asked.append("look up")
        return "found" if self.is_taken else None


@pytest.fixture
async def row_id(worker: Database, user_id: UUID) -> UUID:
    async with worker.unit_of_work() as session:
        row = OrderRow(user_id=user_id, category="vpn", lines=[])
        session.add(row)
    return row.id


@pytest.fixture
def send(worker: Database, row_id: UUID) -> Callable[..., Awaitable[str]]:
    async def make(vendor: Vendor, **changes: Any) -> str:
        guard = WriteGuard(worker, lock_order, "billing_tried_at", settle=SETTLE, clock=lambda: vendor.time)
        return await guard.send(row_id, vendor.take, look_up=vendor.look_up, vendor="whmcs", **changes)

    return make


async def test_a_first_call_is_made_without_a_look_up_unless_one_is_asked_for(
    send: Callable[..., Awaitable[str]],
) -> None:
    vendor = Vendor()
    assert await send(vendor, always_look_up=True) == "taken"
    assert vendor.asked == ["look up", "take"]
    again = Vendor(time=vendor.time + SETTLE)
    assert await send(again) == "taken"


@pytest.mark.parametrize("error", [ExternalRejected("no", vendor="whmcs"), ExternalUnavailable("", vendor="whmcs")])
async def test_a_call_that_was_refused_is_made_again_at_once(
    send: Callable[..., Awaitable[str]], error: Exception
) -> None:
    vendor = Vendor(error=error)
    with pytest.raises(type(error)):
        await send(vendor)
    vendor.error = None
    assert await send(vendor) == "taken"
    assert vendor.asked == ["take", "take"]


async def test_a_lost_answer_is_looked_up_and_nothing_is_sent_before_the_first_call_has_settled(
    send: Callable[..., Awaitable[str]],
) -> None:
    vendor = Vendor(error=OutcomeUnknown("lost", vendor="whmcs"))
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await send(vendor)
    assert vendor.asked == ["take", "look up"]
    vendor.is_taken = True
    assert await send(vendor) == "found"
    vendor.is_taken, vendor.error, vendor.time = False, None, vendor.time + SETTLE
    assert await send(vendor) == "taken"


async def test_a_refusal_after_a_lost_answer_leaves_the_lost_one_to_be_looked_up(
    send: Callable[..., Awaitable[str]],
) -> None:
    vendor = Vendor(error=OutcomeUnknown("lost", vendor="whmcs"))
    with pytest.raises(OutcomeUnknown):
        await send(vendor)
    vendor.error, vendor.time = ExternalRejected("there already", vendor="whmcs"), vendor.time + SETTLE
    with pytest.raises(ExternalRejected):
        await send(vendor)
    vendor.is_taken = True
    assert await send(vendor) == "found"


async def test_of_two_tries_at_once_one_alone_makes_the_call(send: Callable[..., Awaitable[str]]) -> None:
    vendor = Vendor()

    class Hasty(Vendor):
        async def look_up(self) -> str | None:
            # The other try begins between this look-up and this call.
            await send(vendor)
            return None

    hasty = Hasty(time=vendor.time)
    with pytest.raises(OutcomeUnknown):
        await send(hasty, always_look_up=True)
    assert (vendor.asked, hasty.asked) == (["take"], [])
