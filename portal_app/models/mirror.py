"""Mirrors of what WHMCS owns, so that pages keep answering when it is away; each row says how old it is."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.models.columns import document, moment, now


class InvoiceMirror(SQLModel, table=True):
    """One invoice as last read from WHMCS. `is_full` rows hold lines and payments too."""

    __tablename__ = "invoices_mirror"

    invoice_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    user_id: UUID = Field(foreign_key="users.id", index=True)
    body: dict[str, Any] = document()
    is_full: bool = False
    read_at: datetime = moment(default_factory=now)

    @classmethod
    async def of(cls, session: AsyncSession, user_id: UUID) -> "list[InvoiceMirror]":
        """Return a customer's mirrored invoices, newest first."""
        query = select(cls).where(cls.user_id == user_id).order_by(col(cls.invoice_id).desc())
        return list((await session.exec(query)).all())


class SubscriptionMirror(SQLModel, table=True):
    """One service as last read from WHMCS."""

    __tablename__ = "subscriptions_mirror"

    service_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    user_id: UUID = Field(foreign_key="users.id", index=True)
    body: dict[str, Any] = document()
    read_at: datetime = moment(default_factory=now)

    @classmethod
    async def of(cls, session: AsyncSession, user_id: UUID) -> "list[SubscriptionMirror]":
        """Return a customer's mirrored services, newest first."""
        query = select(cls).where(cls.user_id == user_id).order_by(col(cls.service_id).desc())
        return list((await session.exec(query)).all())
