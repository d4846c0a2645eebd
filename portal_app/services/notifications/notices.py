"""Notices: stored with the change that causes them, listed, counted and marked as read."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.notifications.notice import Notice
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.notice import NoticeRow
from portal_app.services.notifications.preferences import is_wanted

PAGE = 20


async def raise_notice(
    session: AsyncSession, kind: str, *, user_id: UUID, source_id: str, subject: str, path: str
) -> None:
    """Store a notice in the caller's transaction, unless the customer turned its topic off.

    A notice with the same kind and source becomes unread again, with a new time.
    """
    if not await is_wanted(session, user_id, kind, "portal"):
        return
    values = {"user_id": user_id, "kind": kind, "source_id": source_id, "subject": subject, "path": path, "at": now()}
    write = insert(NoticeRow).values(values)
    again = write.on_conflict_do_update(
        index_elements=["user_id", "kind", "source_id"], set_={"at": write.excluded.at, "read_at": None}
    )
    await (await session.connection()).execute(again)


class Notices:
    """Reads a customer's notices and marks them as read."""

    def __init__(self, database: Database, live: LiveUpdates) -> None:
        self._database = database
        self._live = live

    async def unread(self, user_id: UUID) -> int:
        """Return the number of unread notices."""
        query = sa.select(sa.func.count()).where(col(NoticeRow.user_id) == user_id, col(NoticeRow.read_at).is_(None))
        async with self._database.unit_of_work(customer=user_id) as session:
            return int(await (await session.connection()).scalar(query) or 0)

    async def latest(self, user_id: UUID, *, offset: int = 0) -> tuple[list[Notice], bool]:
        """Return a page of notices, newest first, and whether there are more."""
        async with self._database.unit_of_work(customer=user_id) as session:
            rows = await NoticeRow.page_for_user(session, user_id, limit=PAGE + 1, offset=max(0, offset))
        return [row.to_domain() for row in rows[:PAGE]], len(rows) > PAGE

    async def mark_read(self, user_id: UUID, kind: str = "", source_id: str = "") -> None:
        """Mark one notice as read, or all if none is named; notices of other customers are not affected."""
        mark = sa.update(NoticeRow).where(col(NoticeRow.user_id) == user_id, col(NoticeRow.read_at).is_(None))
        if kind or source_id:
            mark = mark.where(col(NoticeRow.kind) == kind, col(NoticeRow.source_id) == source_id)
        async with self._database.unit_of_work(customer=user_id) as session:
            await (await session.connection()).execute(mark.values(read_at=now()))
        await self._live.publish(Change(user_id, "notices", ""))
