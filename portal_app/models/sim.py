"""The SIM that is set aside for an order, and the line that came of it."""

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.orders.sim_order import ReservedLine
from portal_app.domain.sim.sim import SimState
from portal_app.infra.clock import now
from portal_app.models.columns import moment, sealed


class SimReservation(SQLModel, table=True):
    """One line of one order. A SIM (`stock_id`) and a number (`number_index`) are in one row at most."""

    __tablename__ = "sim_reservations"

    order_id: UUID = Field(foreign_key="orders.id", primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", index=True)
    stock_id: str | None = Field(default=None, unique=True, max_length=18)
    number: str = sealed("sim_reservations.number")
    number_index: bytes = Field(unique=True)
    iccid: str = sealed("sim_reservations.iccid")
    product_number: str = sealed("sim_reservations.product_number")
    eid: str = sealed("sim_reservations.eid")
    service_id: int | None = Field(default=None, unique=True)
    state: str = "waiting"
    read_at: datetime | None = moment(default=None, nullable=True)
    reserved_at: datetime = moment(default_factory=now)
    opening_at: datetime | None = moment(default=None, nullable=True)
    voice_tried_at: datetime | None = moment(default=None, nullable=True)
    voice_done_at: datetime | None = moment(default=None, nullable=True)

    def to_domain(self) -> ReservedLine:
        """Return the line as the domain knows it."""
        return ReservedLine(
            stock_id=self.stock_id or "",
            number=self.number,
            iccid=self.iccid,
            product_number=self.product_number,
            eid=self.eid,
            service_id=self.service_id,
        )

    def to_state(self) -> SimState:
        """Return the last state that was read."""
        return cast(SimState, self.state)

    @classmethod
    async def of_service(cls, session: AsyncSession, user_id: UUID, service_id: int) -> "SimReservation | None":
        """Find the line of a customer's service."""
        query = select(cls).where(cls.user_id == user_id, cls.service_id == service_id)
        return (await session.exec(query)).first()
