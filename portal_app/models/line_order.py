"""Changes of SIM lines that customers asked for."""

from datetime import date, datetime
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound
from portal_app.domain.money import Money
from portal_app.domain.sim_changes.line_order import (
    ENDED,
    UNSETTLED,
    WITHDRAWABLE,
    LineOrder,
    LineOrderKind,
    LineOrderReason,
    LineOrderState,
)
from portal_app.infra.clock import now
from portal_app.models.columns import id_column, time_column

_IS_UNSETTLED = f"state IN ({', '.join(repr(state) for state in UNSETTLED)})"


class LineOrderRow(SQLModel, table=True):
    """One change; a line has at most one unsettled change of each slot.

    `line` is the keyed hash of the line's number when it was asked for. Of calls whose outcome may not be known tell
    `sends` and `sent_at` at the carrier, and at WHMCS `order_tried_at`, `accept_tried_at`, `end_tried_at` and
    `correct_tried_at`.
    `billed_service_id` is the WHMCS service that bills an option.
    """

    __tablename__ = "line_orders"
    __table_args__ = (
        sa.Index(
            "ix_line_orders_unsettled", "service_id", "slot", unique=True, postgresql_where=sa.text(_IS_UNSETTLED)
        ),
    )

    id: UUID = id_column()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    service_id: int = Field(index=True)
    line: bytes
    slot: str
    kind: str
    option: str = ""
    target: str
    title: str
    product_id: int | None = None
    old_product_id: int | None = None
    price: int = 0
    old_price: int = 0
    currency: str = Field(max_length=3)
    state: str
    reason: str = ""
    asked_at: datetime = time_column(default_factory=now)
    sends_at: datetime | None = time_column(default=None, nullable=True)
    effective_on: date | None = None
    sends: int = 0
    sent_at: datetime | None = time_column(default=None, nullable=True)
    accepted_at: datetime | None = time_column(default=None, nullable=True)
    polled_at: datetime | None = time_column(default=None, nullable=True)
    shown_at: datetime | None = time_column(default=None, nullable=True)
    bill_from: datetime | None = time_column(default=None, nullable=True)
    order_tried_at: datetime | None = time_column(default=None, nullable=True)
    billed_order_id: int | None = None
    billed_service_id: int | None = None
    accept_tried_at: datetime | None = time_column(default=None, nullable=True)
    end_tried_at: datetime | None = time_column(default=None, nullable=True)
    correction: int | None = None
    correct_tried_at: datetime | None = time_column(default=None, nullable=True)
    ended_at: datetime | None = time_column(default=None, nullable=True)

    @property
    def standing_state(self) -> LineOrderState:
        """The state."""
        return cast(LineOrderState, self.state)

    @property
    def change_kind(self) -> LineOrderKind:
        """The kind."""
        return cast(LineOrderKind, self.kind)

    def move(self, state: LineOrderState, reason: LineOrderReason = "") -> bool:
        """Set the state; return whether that is news. A reason that was told once stays until there is another."""
        is_news = self.state != state
        self.state, self.reason = state, reason or self.reason
        if state in ENDED and is_news:
            self.ended_at = now()
        return is_news

    def to_domain(self) -> LineOrder:
        """Return the domain object."""
        return LineOrder(
            id=self.id,
            service_id=self.service_id,
            kind=self.change_kind,
            option=self.option,
            target=self.target,
            title=self.title,
            price=Money(self.price, self.currency),
            old_price=Money(self.old_price, self.currency),
            state=self.standing_state,
            reason=cast(LineOrderReason, self.reason),
            asked_at=self.asked_at,
            sends_at=self.sends_at if self.state in WITHDRAWABLE else None,
            effective_on=self.effective_on,
            ended_at=self.ended_at,
        )

    @classmethod
    async def locked(cls, session: AsyncSession, order_id: UUID) -> "LineOrderRow":
        """Return a row, locked for the transaction. Raises NotFound."""
        row = await session.get(cls, order_id, with_for_update=True)
        if row is None:
            raise NotFound("no such change of a line")
        return row

    @classmethod
    async def of_service(cls, session: AsyncSession, service_id: int, *, limit: int) -> "list[LineOrderRow]":
        """Return a service's changes, newest first."""
        query = select(cls).where(cls.service_id == service_id).order_by(col(cls.asked_at).desc()).limit(limit)
        return list((await session.exec(query)).all())

    @classmethod
    async def unsettled_of(cls, session: AsyncSession, service_id: int, slot: str) -> "LineOrderRow | None":
        """Return the change of a service's slot that is not settled, or None."""
        query = select(cls).where(cls.service_id == service_id, cls.slot == slot, col(cls.state).in_(list(UNSETTLED)))
        return (await session.exec(query.limit(1))).first()

    @classmethod
    async def of_option(cls, session: AsyncSession, service_id: int, option: str) -> "list[LineOrderRow]":
        """Return what was asked of one voice option of a service, newest first."""
        query = select(cls).where(cls.service_id == service_id, cls.option == option)
        return list((await session.exec(query.order_by(col(cls.asked_at).desc()))).all())

    @classmethod
    async def waiting(cls, session: AsyncSession) -> "list[UUID]":
        """Return the changes that wait for a moment."""
        waits = ("queued", "held", "booked", "covered", "changing")
        return list((await session.exec(select(cls.id).where(col(cls.state).in_(waits)))).all())
