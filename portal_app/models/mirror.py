"""Mirrors of WHMCS data, so that pages work while WHMCS is unavailable; each row stores the time it was read."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.billing.invoice import OPEN_STATUSES
from portal_app.infra.clock import now, offset_seconds
from portal_app.models.columns import json_column, time_column


class InvoiceMirror(SQLModel, table=True):
    """One invoice as last read from WHMCS. `is_full`: the row includes lines and payments.

    `read_at` is the start of the read (PostgreSQL's clock), `changed_at` WHMCS's time of the last change, if known.
    A deleted invoice stays as a row with `is_gone` until a complete list has been read after the deletion.
    """

    __tablename__ = "invoices_mirror"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    invoice_id: int = Field(primary_key=True, index=True, sa_column_kwargs={"autoincrement": False})
    label: str
    status: str
    issued_on: date | None = None
    due_on: date | None = None
    total_minor: int = Field(sa_type=sa.BigInteger)
    owed_minor: int = Field(sa_type=sa.BigInteger)
    body: dict[str, Any] = json_column()
    is_full: bool = False
    changed_at: datetime | None = time_column(default=None, nullable=True)
    read_at: datetime = time_column(default_factory=now)
    is_gone: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})

    @classmethod
    def belongs_to(cls, user_id: Any) -> sa.ColumnElement[bool]:
        """Return the condition of a customer's invoices, without those that are gone."""
        return sa.and_(col(cls.user_id) == user_id, col(cls.is_gone).is_(False))

    @classmethod
    def is_open(cls) -> sa.ColumnElement[bool]:
        """Return the condition of invoices that are still to be paid."""
        return col(cls.status).in_(OPEN_STATUSES)

    @classmethod
    def is_overdue(cls, today: Any) -> sa.ColumnElement[bool]:
        """Return the condition of open invoices past their day."""
        return sa.and_(cls.is_open(), col(cls.due_on) < today)

    @classmethod
    def by_due_day(cls) -> tuple[Any, Any]:
        """Return the order in which open invoices are to be paid."""
        return col(cls.due_on).nulls_last(), col(cls.invoice_id)


class SubscriptionMirror(SQLModel, table=True):
    """One service as last read from WHMCS, always as part of the complete list."""

    __tablename__ = "subscriptions_mirror"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    service_id: int = Field(primary_key=True, index=True, sa_column_kwargs={"autoincrement": False})
    body: dict[str, Any] = json_column()
    read_at: datetime = time_column(default_factory=now)


class MirrorState(SQLModel, table=True):
    """When a customer's complete list ("invoices" or "services") was last read, and when a change was last reported."""

    __tablename__ = "mirror_states"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    kind: str = Field(primary_key=True)
    read_at: datetime | None = time_column(default=None, nullable=True, index=True)
    stale_at: datetime | None = time_column(default=None, nullable=True)

    def is_fresh(self, seconds: float, at: datetime) -> bool:
        """Say whether it was read in the last seconds before a moment, and nothing was heard since."""
        return is_fresh(self.read_at, seconds, at=at, stale_at=self.stale_at)

    @classmethod
    async def locked(cls, session: AsyncSession, user_id: UUID, kind: str) -> "MirrorState":
        """Return the row, created if missing, locked so that writers of one customer's mirror are serialised."""
        connection = await session.connection()
        row = {"user_id": user_id, "kind": kind}
        await connection.execute(insert(cls).values(row).on_conflict_do_nothing())
        query = select(cls).where(cls.user_id == user_id, cls.kind == kind).with_for_update()
        return (await session.exec(query)).one()


async def database_time(session: AsyncSession) -> datetime:
    """Return the portal's time read from PostgreSQL itself: exact enough to order what several processes write."""
    read_at = (await (await session.connection()).execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return read_at + timedelta(seconds=offset_seconds())


def is_fresh(read_at: datetime | None, seconds: float, *, at: datetime, stale_at: datetime | None = None) -> bool:
    """Say whether data read at a moment are younger than this at another, and no change was heard of since."""
    if read_at is None or (stale_at is not None and stale_at >= read_at):
        return False
    return at - read_at < timedelta(seconds=seconds)
