"""Stuck orders: found by the clock, told to agents by a case, once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.orders.order import FINAL_STAGES, OrderStage
from portal_app.domain.orders.steps import CASE_OPENED, target_of, why_stuck
from portal_app.domain.ports.crm import CrmGateway
from portal_app.models.columns import now
from portal_app.models.order import OrderEventRow, OrderRow
from portal_app.services.orders.timeline import OrderTimeline


@dataclass(frozen=True, slots=True)
class StuckOrder:
    """An order that stays where it is longer than it should."""

    id: UUID
    stage: OrderStage
    last_step: str
    since: datetime
    has_case: bool

    @property
    def why(self) -> str:
        """Why it does not move, for an agent."""
        return why_stuck(self.stage, self.last_step)


class StuckOrders:
    """Find them, and open a case in Salesforce for each, once."""

    def __init__(self, progress: OrderTimeline, crm: CrmGateway) -> None:
        self._progress = progress
        self._database = progress.database
        self._crm = crm

    async def found(self) -> list[StuckOrder]:
        """Return every order beyond its target, the longest first."""
        query = select(OrderRow).where(col(OrderRow.stage).not_in(FINAL_STAGES)).order_by(col(OrderRow.updated_at))
        async with self._database.unit_of_work() as session:
            rows = (await session.exec(query)).all()
            last = await self._last_steps(session, [row.id for row in rows])
        stuck: list[StuckOrder] = []
        for row in rows:
            order, (step, has_case) = row.to_domain(), last.get(row.id, ("placed", False))
            target = target_of(order.stage, step, order.category)
            if target is not None and row.updated_at + target < now():
                stuck.append(StuckOrder(order.id, order.stage, step, row.updated_at, has_case))
        return stuck

    async def open_case(self, order_id: UUID) -> None:
        """Open a case about an order, unless it has one; the order's page says so. Safe to repeat."""
        order, customer = await self._progress.order(order_id)
        stuck = next((each for each in await self.found() if each.id == order_id and not each.has_case), None)
        if stuck is None:
            return
        told = f"Portal order {order.id}, Salesforce order {order.sf_order_id or 'none yet'}: {stuck.why}."
        await self._crm.open_case(
            customer,
            reference=order.id,
            subject=f"Order does not move: {order.title}",
            description=f"{told} Nothing has happened since {stuck.since:%Y-%m-%d %H:%M} UTC.",
        )
        await self._progress.advance(order_id, CASE_OPENED, stage=order.stage, notice="order_stopped")

    @staticmethod
    async def _last_steps(session: AsyncSession, order_ids: list[UUID]) -> dict[UUID, tuple[str, bool]]:
        query = select(OrderEventRow).where(col(OrderEventRow.order_id).in_(order_ids)).order_by(col(OrderEventRow.at))
        found: dict[UUID, tuple[str, bool]] = {}
        for event in (await session.exec(query)).all():
            step, has_case = found.get(event.order_id, ("placed", False))
            is_case = event.step == CASE_OPENED
            found[event.order_id] = (step if is_case else event.step, has_case or is_case)
        return found
