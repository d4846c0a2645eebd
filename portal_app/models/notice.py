"""Notices: messages to customers inside the portal."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.notifications.notice import Notice
from portal_app.infra.clock import now
from portal_app.models.columns import time_column


class NoticeRow(SQLModel, table=True):
    """One notice. Kind and source are unique per user: a repeated notice becomes unread again."""

    __tablename__ = "notices"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    kind: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True, max_length=80)
    subject: str = ""
    path: str = ""
    at: datetime = time_column(default_factory=now)
    read_at: datetime | None = time_column(default=None, nullable=True)

    def to_domain(self) -> Notice:
        """Return the domain object."""
        return Notice(self.kind, self.source_id, self.subject, self.path, self.at, self.read_at is not None)

    @classmethod
    async def page_for_user(cls, session: AsyncSession, user_id: UUID, *, limit: int, offset: int) -> "list[NoticeRow]":
        """Return a page of a user's notices, newest first."""
        query = select(cls).where(cls.user_id == user_id).order_by(col(cls.at).desc(), cls.source_id)
        return list((await session.exec(query.limit(limit).offset(offset))).all())
