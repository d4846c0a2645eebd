"""What came in from vendors: each event once, and how far each stream was read."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.inbound_event import InboundEvent
from portal_app.infra.clock import now
from portal_app.models.columns import document, moment


class Inbox(SQLModel, table=True):
    """One event of a source, whatever the number of its deliveries."""

    __tablename__ = "inbox"

    source: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    kind: str
    data: dict[str, Any] = document(default_factory=dict)
    received_at: datetime = moment(default_factory=now)
    handled_at: datetime | None = moment(default=None, nullable=True)

    @classmethod
    async def insert_new(cls, session: AsyncSession, event: InboundEvent) -> bool:
        """Write an event down; False when it was already there."""
        connection = await session.connection()
        row = {"source": event.source, "id": event.id, "kind": event.kind, "data": event.data, "received_at": now()}
        added = insert(cls).values(row).on_conflict_do_nothing().returning(col(cls.id))
        # A row comes back for a new one alone; the count of such a statement says nothing.
        return (await connection.execute(added)).first() is not None


class ReplayPosition(SQLModel, table=True):
    """How far a Salesforce topic was read; moved only together with the work it led to."""

    __tablename__ = "replay_positions"

    topic: str = Field(primary_key=True)
    replay_id: bytes
    updated_at: datetime = moment(default_factory=now)
