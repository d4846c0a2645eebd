"""Cancellation requests of customers."""

from datetime import date, datetime
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.catalog.plan import Category
from portal_app.domain.errors import NotFound
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import OPEN_STATES, CancellationRequest, CancellationState, Reason
from portal_app.infra.clock import now
from portal_app.models.columns import encrypted_column, id_column, time_column
from portal_app.models.user import IdMapping

_IS_OPEN = "state IN ('scheduled', 'sending', 'sent')"


class CancellationRow(SQLModel, table=True):
    """One request; a service has at most one open request.

    `tried_at` is the time of a WHMCS call whose outcome may not be known yet.
    """

    __tablename__ = "cancellations"
    __table_args__ = (
        sa.Index("ix_cancellations_open", "user_id", "service_id", unique=True, postgresql_where=sa.text(_IS_OPEN)),
    )

    id: UUID = id_column()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    service_id: int
    service_name: str
    category: str
    reason: str
    comment: str = encrypted_column("cancellations.comment")
    state: str = Field(default="scheduled", index=True)
    ends_on: date
    sends_at: datetime = time_column()
    asked_at: datetime = time_column(default_factory=now)
    changed_at: datetime = time_column(default_factory=now)
    tried_at: datetime | None = time_column(default=None, nullable=True)

    def to_domain(self) -> CancellationRequest:
        """Return the domain object."""
        return CancellationRequest(
            id=self.id,
            service_id=self.service_id,
            service_name=self.service_name,
            category=cast(Category, self.category),
            reason=cast(Reason, self.reason),
            comment=self.comment,
            state=cast(CancellationState, self.state),
            ends_on=self.ends_on,
            sends_at=self.sends_at,
            asked_at=self.asked_at,
            changed_at=self.changed_at,
        )

    @classmethod
    async def with_customer(cls, session: AsyncSession, cancellation_id: UUID) -> tuple[CancellationRequest, Customer]:
        """Return a request and its customer. Raises NotFound."""
        row = await session.get(cls, cancellation_id)
        if row is None:
            raise NotFound("no such cancellation")
        return row.to_domain(), await IdMapping.customer_of(session, row.user_id)

    def set_state(self, state: CancellationState, at: datetime) -> None:
        """Set the state and the time of the change."""
        self.state, self.changed_at = state, at

    @classmethod
    async def newest(cls, session: AsyncSession, user_id: UUID) -> "list[CancellationRow]":
        """Return a customer's newest request for each service."""
        query = select(cls).where(cls.user_id == user_id).ext(distinct_on(col(cls.service_id)))
        return list((await session.exec(query.order_by(col(cls.service_id), col(cls.asked_at).desc()))).all())

    @classmethod
    async def open_of(cls, session: AsyncSession, user_id: UUID, service_id: int) -> "CancellationRow | None":
        """Return the open request for a service, locked for this transaction."""
        query = select(cls).where(cls.user_id == user_id, cls.service_id == service_id)
        return (await session.exec(query.where(col(cls.state).in_(OPEN_STATES)).with_for_update())).first()
