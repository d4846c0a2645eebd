"""Notification preferences of customers, and the reminders sent to them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.models.columns import time_column


class NotificationPreference(SQLModel, table=True):
    """A customer's channels for one topic; without a row both channels are on."""

    __tablename__ = "notification_choices"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    topic: str = Field(primary_key=True, max_length=20)
    portal: bool = True
    mail: bool = True


class Reminder(SQLModel, table=True):
    """A reminder that was sent, so that the schedule sends each reminder once."""

    __tablename__ = "reminders"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    kind: str = Field(primary_key=True, max_length=40)
    source_id: str = Field(primary_key=True, max_length=80)
    at: datetime = time_column(default_factory=now)

    @classmethod
    async def record_first(cls, session: AsyncSession, user_id: UUID, kind: str, source_id: str) -> bool:
        """Insert the reminder and return whether it is new."""
        values = {"user_id": user_id, "kind": kind, "source_id": source_id, "at": now()}
        write = insert(cls).values(values).on_conflict_do_nothing().returning(col(cls.kind))
        return (await (await session.connection()).execute(write)).first() is not None
