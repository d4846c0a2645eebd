"""SIM reservations of orders, and the lines activated from them."""

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.orders.sim_order import ReservedLine
from portal_app.domain.sim.sim import SimState
from portal_app.infra.clock import now
from portal_app.models.columns import encrypted_column, time_column


class SimReservation(SQLModel, table=True):
    """The reservation of one order. A SIM (`stock_id`) and a number (`number_index`) are reserved at most once."""

    __tablename__ = "sim_reservations"

    order_id: UUID = Field(foreign_key="orders.id", primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", index=True)
    stock_id: str | None = Field(default=None, unique=True, max_length=18)
    number: str = encrypted_column("sim_reservations.number")
    number_index: bytes = Field(unique=True)
    iccid: str = encrypted_column("sim_reservations.iccid")
    product_number: str = encrypted_column("sim_reservations.product_number")
    eid: str = encrypted_column("sim_reservations.eid")
    service_id: int | None = Field(default=None, unique=True)
    state: str = "waiting"
    read_at: datetime | None = time_column(default=None, nullable=True)
    reserved_at: datetime = time_column(default_factory=now)
    opening_at: datetime | None = time_column(default=None, nullable=True)
    voice_tried_at: datetime | None = time_column(default=None, nullable=True)
    voice_done_at: datetime | None = time_column(default=None, nullable=True)

    def to_domain(self) -> ReservedLine:
        """Return the domain object."""
        return ReservedLine(
            stock_id=self.stock_id or "",
            number=self.number,
            iccid=self.iccid,
            product_number=self.product_number,
            eid=self.eid,
            service_id=self.service_id,
        )

    def to_state(self) -> SimState:
        """Return the state that was last read from the carrier."""
        return cast(SimState, self.state)

    @classmethod
    async def is_awaited(cls, session: AsyncSession, user_id: UUID, *, since: datetime) -> bool:
        """Say whether an order of a customer, reserved since a moment, has no service yet: its line is being opened."""
        query = select(cls.order_id).where(
            cls.user_id == user_id, col(cls.service_id).is_(None), col(cls.reserved_at) >= since
        )
        return (await session.exec(query.limit(1))).first() is not None

    @classmethod
    async def of_service(cls, session: AsyncSession, user_id: UUID, service_id: int) -> "SimReservation | None":
        """Return the reservation of a customer's service, or None."""
        query = select(cls).where(cls.user_id == user_id, cls.service_id == service_id)
        return (await session.exec(query)).first()
