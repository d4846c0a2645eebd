"""Orders, order drafts and timelines."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.catalog.plan import Category
from portal_app.domain.checkout.options import address_from_json, options_from_json
from portal_app.domain.orders.order import FINAL_STAGES, Order, OrderEvent, OrderLine, OrderStage
from portal_app.domain.orders.steps import CASE_OPENED
from portal_app.infra.clock import now
from portal_app.models.columns import encrypted_column, id_column, json_column, time_column


class OrderRow(SQLModel, table=True):
    """One order; Salesforce is the authority for its review."""

    __tablename__ = "orders"

    id: UUID = id_column()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    category: str
    stage: str = "received"
    lines: list[dict[str, Any]] = json_column()
    placed_at: datetime = time_column(default_factory=now)
    updated_at: datetime = time_column(default_factory=now)
    sf_order_id: str | None = Field(default=None, unique=True, max_length=18)
    whmcs_order_id: int | None = Field(default=None, unique=True)
    attempt: int = 1
    billing_tried_at: datetime | None = time_column(default=None, nullable=True)
    draft_id: UUID | None = Field(default=None, unique=True)
    options: str | None = encrypted_column("orders.options", default=None, nullable=True)
    address: str | None = encrypted_column("orders.address", default=None, nullable=True)
    terms_version: str | None = None

    def to_domain(self) -> Order:
        """Return the domain object."""
        return Order(
            id=self.id,
            user_id=self.user_id,
            category=cast(Category, self.category),
            stage=cast(OrderStage, self.stage),
            lines=tuple(OrderLine.from_json(line) for line in self.lines),
            placed_at=self.placed_at,
            sf_order_id=self.sf_order_id or "",
            whmcs_order_id=self.whmcs_order_id,
            attempt=self.attempt,
            options=options_from_json(self.options) if self.options else None,
            address=address_from_json(self.address) if self.address else None,
        )

    @classmethod
    def is_open(cls) -> sa.ColumnElement[bool]:
        """Return the condition of orders that still go on."""
        return col(cls.stage).not_in(FINAL_STAGES)

    @classmethod
    async def for_user(cls, session: AsyncSession, user_id: UUID) -> "list[OrderRow]":
        """Return a customer's orders, newest first."""
        query = select(cls).where(cls.user_id == user_id).order_by(col(cls.placed_at).desc())
        return list((await session.exec(query)).all())

    @classmethod
    async def of_draft(cls, session: AsyncSession, user_id: UUID, draft_id: UUID) -> "OrderRow | None":
        """Return the customer's order made from a draft, or None."""
        query = select(cls).where(cls.user_id == user_id, cls.draft_id == draft_id)
        return (await session.exec(query)).first()

    @classmethod
    async def by_salesforce_id(cls, session: AsyncSession, sf_order_id: str) -> "OrderRow | None":
        """Return the row of a Salesforce order, or None."""
        return (await session.exec(select(cls).where(cls.sf_order_id == sf_order_id))).first()


class DraftRow(SQLModel, table=True):
    """A customer's order draft with the answers so far; one per customer.

    Choosing another plan gives the draft a new id, so answers are never used for another plan.
    """

    __tablename__ = "order_drafts"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    draft_id: UUID = Field(unique=True)
    sku: str = Field(max_length=180)
    answers: str | None = encrypted_column("order_drafts.answers", default=None, nullable=True)
    updated_at: datetime = time_column(default_factory=now)

    @classmethod
    async def locked(cls, session: AsyncSession, user_id: UUID) -> "DraftRow | None":
        """Return a customer's draft, locked for this transaction."""
        return (await session.exec(select(cls).where(cls.user_id == user_id).with_for_update())).first()

    @classmethod
    async def delete_draft(cls, session: AsyncSession, user_id: UUID, draft_id: UUID | None) -> None:
        """Delete a customer's draft if it still has this id."""
        row = await cls.locked(session, user_id)
        if row is not None and row.draft_id == draft_id:
            await session.delete(row)


class OrderEventRow(SQLModel, table=True):
    """One entry of a timeline; unique per order, attempt and step."""

    __tablename__ = "order_events"

    order_id: UUID = Field(foreign_key="orders.id", primary_key=True)
    attempt: int = Field(primary_key=True)
    step: str = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="users.id")
    at: datetime = time_column(default_factory=now)
    source: str = "system"
    detail: str = ""

    def to_domain(self) -> OrderEvent:
        """Return the domain object."""
        return OrderEvent(self.step, self.at, cast(Any, self.source), self.detail)

    @classmethod
    async def for_order(cls, session: AsyncSession, order_id: UUID) -> "list[OrderEventRow]":
        """Return an order's timeline, oldest first."""
        query = select(cls).where(cls.order_id == order_id).order_by(col(cls.at))
        return list((await session.exec(query)).all())

    @classmethod
    async def last_moves(cls, session: AsyncSession, user_id: UUID) -> dict[UUID, str]:
        """Return the last step of each stopped order of a customer; a case opened about it is no step of it."""
        stopped = select(cls.order_id, cls.step).join(OrderRow, col(OrderRow.id) == col(cls.order_id))
        stopped = stopped.where(OrderRow.user_id == user_id, OrderRow.stage == "needs_attention")
        # A later step of an order takes the place of an earlier one.
        return dict((await session.exec(stopped.where(cls.step != CASE_OPENED).order_by(col(cls.at)))).all())
