"""The rule of one fibre line per customer: a second line or order is refused."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict
from portal_app.domain.orders.order import FINAL_STAGES
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.models.order import OrderRow

_HAS_ONE = "You have an internet service already. Write to us if you want to change it or need a second one."
_UNDER_WAY = "You have an internet order in progress already. It is among your orders."


def refuse_second_line(services: list[Subscription]) -> None:
    """Raise Conflict if a customer already has a fibre line."""
    if any(service.is_live_line("internet") for service in services):
        raise Conflict("has internet", user_message=_HAS_ONE)


async def refuse_second_order(session: AsyncSession, user_id: UUID) -> None:
    """Raise Conflict if a customer has an unfinished fibre order."""
    query = select(OrderRow.id).where(
        OrderRow.user_id == user_id, OrderRow.category == "internet", col(OrderRow.stage).not_in(FINAL_STAGES)
    )
    if (await session.exec(query.limit(1))).first() is not None:
        raise Conflict("internet order in progress", user_message=_UNDER_WAY)
