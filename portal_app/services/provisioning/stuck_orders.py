"""Stuck orders: orders that stay in a stage beyond its target, and one Salesforce case about each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.orders.order import FINAL_STAGES, OrderStage
from portal_app.domain.orders.steps import CASE_OPENED, target_of, why_stuck
from portal_app.domain.ports.crm import CrmGateway
from portal_app.infra.clock import now
from portal_app.models.order import OrderRow
from portal_app.services.orders.timeline import OrderTimeline

# The newest step of each order, and whether it has a case: that step is not counted. One parameter for all orders.
_LAST_STEPS = sa.text("""
SELECT order_id, (array_agg(step ORDER BY at DESC) FILTER (WHERE step <> :case))[1], bool_or(step = :case)
FROM order_events WHERE order_id = ANY(CAST(:ids AS uuid[])) GROUP BY order_id
""")


@dataclass(frozen=True, slots=True)
class StuckOrder:
    """An order that is in its stage longer than the stage's target."""

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
    """Finds stuck orders, and opens a case in Salesforce for each, once."""

    def __init__(self, progress: OrderTimeline, crm: CrmGateway) -> None:
        self._progress = progress
        self._database = progress.database
        self._crm = crm

    async def found(self) -> list[StuckOrder]:
        """Return every order beyond its target, the longest first."""
        query = select(OrderRow).where(col(OrderRow.stage).not_in(FINAL_STAGES)).order_by(col(OrderRow.updated_at))
        async with self._database.unit_of_work() as session:
            return await self._stuck_among(session, (await session.exec(query)).all())

    async def open_case(self, order_id: UUID) -> None:
        """Open a case about an order, unless it has one; the order's page says so. Safe to repeat."""
        order, customer = await self._progress.order(order_id)
        stuck = await self._stuck(order_id)
        if stuck is None or stuck.has_case:
            return
        told = f"Portal order {order.id}, Salesforce order {order.sf_order_id or 'none yet'}: {stuck.why}."
        await self._crm.open_case(
            customer,
            reference=order.id,
            subject=f"Order does not move: {order.title}",
            description=f"{told} Nothing has happened since {stuck.since:%Y-%m-%d %H:%M} UTC.",
        )
        await self._progress.advance(order_id, CASE_OPENED, stage=order.stage, notice="order_stopped")

    async def _stuck(self, order_id: UUID) -> StuckOrder | None:
        query = select(OrderRow).where(OrderRow.id == order_id, col(OrderRow.stage).not_in(FINAL_STAGES))
        async with self._database.unit_of_work() as session:
            found = await self._stuck_among(session, (await session.exec(query)).all())
        return found[0] if found else None

    async def _stuck_among(self, session: AsyncSession, rows: Sequence[OrderRow]) -> list[StuckOrder]:
        last, at = await self._last_steps(session, [row.id for row in rows]), now()
        stuck: list[StuckOrder] = []
        for row in rows:
            order, (step, has_case) = row.to_domain(), last.get(row.id, ("placed", False))
            target = target_of(order.stage, step, order.category)
            if target is not None and row.updated_at + target < at:
                stuck.append(StuckOrder(order.id, order.stage, step, row.updated_at, has_case))
        return stuck

    @staticmethod
    async def _last_steps(session: AsyncSession, order_ids: list[UUID]) -> dict[UUID, tuple[str, bool]]:
        values = {"case": CASE_OPENED, "ids": order_ids}
        rows = (await (await session.connection()).execute(_LAST_STEPS, values)).all()
        return {order_id: (step or "placed", has_case) for order_id, step, has_case in rows}
