"""Data that customers bought for their SIM lines."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound
from portal_app.domain.money import Money
from portal_app.domain.sim.auto_top_up import PastTopUp
from portal_app.domain.sim.top_up import ENDED, UNSETTLED, TopUpOrder, TopUpReason, TopUpState
from portal_app.infra.clock import now
from portal_app.models.columns import id_column, time_column

_IS_UNSETTLED = f"state IN ({', '.join(repr(state) for state in UNSETTLED)})"


class TopUpRow(SQLModel, table=True):
    """One purchase; a line has at most one that is not settled.

    `line` is the keyed hash of the line's number when it was bought. `invoice_tried_at` and `capture_tried_at` are the
    times of WHMCS calls whose outcome may not be known; `data_sends` counts what was sent to the carrier.
    `is_automatic`: the customer's choice for the line started it.
    """

    __tablename__ = "top_ups"
    __table_args__ = (
        sa.Index("ix_top_ups_unsettled", "service_id", unique=True, postgresql_where=sa.text(_IS_UNSETTLED)),
    )

    id: UUID = id_column()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    service_id: int = Field(index=True)
    line: bytes
    gigabytes: int
    total: int
    currency: str = Field(max_length=3)
    state: str = "asked"
    reason: str = ""
    gateway: str = ""
    invoice_id: int | None = Field(default=None, index=True)
    due_on: date | None = None
    asked_at: datetime = time_column(default_factory=now)
    invoice_tried_at: datetime | None = time_column(default=None, nullable=True)
    invoiced_at: datetime | None = time_column(default=None, nullable=True)
    capture_tried_at: datetime | None = time_column(default=None, nullable=True)
    confirm_until: datetime | None = time_column(default=None, nullable=True)
    paid_at: datetime | None = time_column(default=None, nullable=True)
    data_sends: int = 0
    data_sent_at: datetime | None = time_column(default=None, nullable=True)
    delivered_at: datetime | None = time_column(default=None, nullable=True)
    ended_at: datetime | None = time_column(default=None, nullable=True)
    is_automatic: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})

    @property
    def price(self) -> Money:
        """What the customer agreed to pay, with tax."""
        return Money(self.total, self.currency)

    @property
    def standing_state(self) -> TopUpState:
        """The state."""
        return cast(TopUpState, self.state)

    def move(self, state: TopUpState, reason: TopUpReason = "") -> bool:
        """Set the state; return whether that is news. A reason that was told once stays until there is another."""
        is_news = self.state != state
        self.state, self.reason = state, reason or self.reason
        if state == "paid":
            self.paid_at, self.reason, self.ended_at = self.paid_at or now(), "", None
        if state in ENDED and is_news:
            self.ended_at = now()
        return is_news

    def to_domain(self) -> TopUpOrder:
        """Return the domain object."""
        return TopUpOrder(
            id=self.id,
            service_id=self.service_id,
            gigabytes=self.gigabytes,
            total=self.price,
            state=self.standing_state,
            reason=cast(TopUpReason, self.reason),
            invoice_id=self.invoice_id,
            asked_at=self.asked_at,
            invoiced_at=self.invoiced_at,
            paid_at=self.paid_at,
            delivered_at=self.delivered_at,
            ended_at=self.ended_at,
            confirm_until=self.confirm_until if self.state == "confirm" else None,
            is_automatic=self.is_automatic,
        )

    def to_past(self) -> PastTopUp:
        """Return what counts of it for the next purchase."""
        return PastTopUp(self.standing_state, self.total, self.asked_at, self.paid_at, self.delivered_at)

    @classmethod
    async def locked(cls, session: AsyncSession, top_up_id: UUID) -> "TopUpRow":
        """Return a row, locked for the transaction. Raises NotFound."""
        row = await session.get(cls, top_up_id, with_for_update=True)
        if row is None:
            raise NotFound("no such top-up")
        return row

    @classmethod
    async def of_service(cls, session: AsyncSession, service_id: int, *, limit: int) -> "list[TopUpRow]":
        """Return a service's purchases, newest first."""
        query = select(cls).where(cls.service_id == service_id).order_by(col(cls.asked_at).desc()).limit(limit)
        return list((await session.exec(query)).all())

    @classmethod
    async def open_of(cls, session: AsyncSession, service_id: int) -> "TopUpRow | None":
        """Return the purchase of a service that is not over, or None."""
        query = select(cls).where(cls.service_id == service_id, col(cls.state).not_in(list(ENDED)))
        return (await session.exec(query.limit(1))).first()

    @classmethod
    async def of_lines(cls, session: AsyncSession, service_ids: Sequence[int], *, since: datetime) -> "list[TopUpRow]":
        """Return the purchases of several services that were begun or paid since a moment."""
        is_recent = sa.or_(col(cls.asked_at) >= since, col(cls.paid_at) >= since)
        query = select(cls).where(col(cls.service_id).in_(list(service_ids)), is_recent)
        return list((await session.exec(query.order_by(col(cls.asked_at)))).all())

    @classmethod
    async def of_invoices(cls, session: AsyncSession, invoice_ids: Sequence[int]) -> "list[TopUpRow]":
        """Return the purchases that some invoices bill, locked for the transaction."""
        query = select(cls).where(col(cls.invoice_id).in_(list(invoice_ids))).order_by(col(cls.id))
        return list((await session.exec(query.with_for_update())).all())
