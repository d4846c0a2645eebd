"""What customers want to be told, and what they were reminded of."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.models.columns import moment


class NotificationChoice(SQLModel, table=True):
    """What a customer chose for one topic; where there is no row, everything is told."""

    __tablename__ = "notification_choices"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    topic: str = Field(primary_key=True, max_length=20)
    portal: bool = True
    mail: bool = True


class Reminder(SQLModel, table=True):
    """One thing a customer was reminded of: once, however often the clock finds it."""

    __tablename__ = "reminders"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    kind: str = Field(primary_key=True, max_length=40)
    source_id: str = Field(primary_key=True, max_length=80)
    at: datetime = moment(default_factory=now)

    @classmethod
    async def is_first(cls, session: AsyncSession, user_id: UUID, kind: str, source_id: str) -> bool:
        """Write it down; say whether it was new."""
        values = {"user_id": user_id, "kind": kind, "source_id": source_id, "at": now()}
        write = insert(cls).values(values).on_conflict_do_nothing().returning(col(cls.kind))
        return (await (await session.connection()).execute(write)).first() is not None
