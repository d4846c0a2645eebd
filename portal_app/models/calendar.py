"""Secret links to calendar feeds."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.models.columns import time_column


class CalendarLink(SQLModel, table=True):
    """One customer's link. Only the hash of its token is stored."""

    __tablename__ = "calendar_links"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    token_hash: bytes = Field(unique=True)
    created_at: datetime = time_column(default_factory=now)

    @classmethod
    async def revoke(cls, session: AsyncSession, user_id: UUID) -> bool:
        """Delete a user's link in the caller's transaction; return whether there was one."""
        gone = sa.delete(cls).where(col(cls.user_id) == user_id)
        return bool((await (await session.connection()).execute(gone)).rowcount)

    @classmethod
    async def by_hash(cls, session: AsyncSession, token_hash: bytes) -> "CalendarLink | None":
        """Return the link with this token hash, or None."""
        return (await session.exec(select(cls).where(cls.token_hash == token_hash))).first()
