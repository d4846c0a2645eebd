"""Announcements of operators, and who wants to be told of their end."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.status.announcement import Announcement, AnnouncementKind, Update, Words
from portal_app.infra.clock import now
from portal_app.models.columns import id_column, json_column, time_column


class AnnouncementRow(SQLModel, table=True):
    """One announcement. `words` holds title and text by language, `updates` what was added later."""

    __tablename__ = "announcements"

    id: UUID = id_column()
    kind: str
    words: dict[str, Any] = json_column()
    services: list[Any] = json_column(default_factory=list)
    areas: list[Any] = json_column(default_factory=list)
    begins_at: datetime = time_column(index=True)
    until: datetime | None = time_column(default=None, nullable=True)
    ended_at: datetime | None = time_column(default=None, nullable=True)
    updates: list[Any] = json_column(default_factory=list)
    created_at: datetime = time_column(default_factory=now)

    @classmethod
    async def not_over_before(
        cls, session: AsyncSession, moment: datetime, *, most: int
    ) -> "Sequence[AnnouncementRow]":
        """Return the announcements that are not over, or were over after a moment; the latest first."""
        shown = sa.or_(col(cls.ended_at).is_(None), col(cls.ended_at) > moment)
        return (await session.exec(select(cls).where(shown).order_by(col(cls.begins_at).desc()).limit(most))).all()

    @classmethod
    async def locked(cls, session: AsyncSession, announcement_id: UUID) -> "AnnouncementRow | None":
        """Return an announcement, locked for this transaction."""
        return await session.get(cls, announcement_id, with_for_update=True)

    def to_domain(self) -> Announcement:
        """Return the domain object."""
        return Announcement(
            id=self.id,
            kind=cast(AnnouncementKind, self.kind),
            words={language: Words(**words) for language, words in self.words.items()},
            services=tuple(self.services),
            areas=tuple(self.areas),
            begins_at=self.begins_at,
            until=self.until,
            ended_at=self.ended_at,
            updates=tuple(Update(datetime.fromisoformat(each["at"]), each["text"]) for each in self.updates),
        )


class IncidentFollower(SQLModel, table=True):
    """A customer who wants to be told once that an announcement is over. `told_at` is when the mail was stored."""

    __tablename__ = "incident_followers"

    announcement_id: UUID = Field(foreign_key="announcements.id", primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    created_at: datetime = time_column(default_factory=now)
    told_at: datetime | None = time_column(default=None, nullable=True)
