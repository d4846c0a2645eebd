"""Inbox of vendors' events (each event once), and the position in each event stream."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.inbound_event import InboundEvent
from portal_app.infra.clock import now
from portal_app.models.columns import json_column, time_column


class Inbox(SQLModel, table=True):
    """One event of a source; repeated deliveries do not add rows."""

    __tablename__ = "inbox"

    source: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    kind: str
    data: dict[str, Any] = json_column(default_factory=dict)
    received_at: datetime = time_column(default_factory=now)
    handled_at: datetime | None = time_column(default=None, nullable=True)

    @classmethod
    async def insert_new(cls, session: AsyncSession, event: InboundEvent) -> bool:
        """Insert an event; return False if it was already there."""
        connection = await session.connection()
        row = {"source": event.source, "id": event.id, "kind": event.kind, "data": event.data, "received_at": now()}
        added = insert(cls).values(row).on_conflict_do_nothing().returning(col(cls.id))
        # RETURNING yields a row only for a new event; the row count of ON CONFLICT DO NOTHING is not reliable.
        return (await connection.execute(added)).first() is not None


class ReplayPosition(SQLModel, table=True):
    """The position in a Salesforce topic; updated in the transaction that stores the events before it."""

    __tablename__ = "replay_positions"

    topic: str = Field(primary_key=True)
    replay_id: bytes
    updated_at: datetime = time_column(default_factory=now)
