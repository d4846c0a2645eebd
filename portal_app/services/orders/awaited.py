"""Adds to orders whom they wait for."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.orders.order import Order
from portal_app.domain.orders.waiting import waits_for
from portal_app.domain.profile.kyc_document import CheckStatus
from portal_app.models.kyc import IdentityCheckRow
from portal_app.models.order import OrderEventRow


async def with_awaited(session: AsyncSession, user_id: UUID, orders: Sequence[Order]) -> list[Order]:
    """Return a customer's orders with what each waits for."""
    if not any(order.stage == "needs_attention" for order in orders):
        return list(orders)
    steps = await OrderEventRow.last_moves(session, user_id)
    check = await session.get(IdentityCheckRow, user_id)
    status = cast(CheckStatus, check.status if check else "not_submitted")
    return [replace(each, waits_for=waits_for(each.stage, steps.get(each.id, ""), status)) for each in orders]
