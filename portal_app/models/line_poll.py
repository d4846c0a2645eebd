"""How often a line was read by polling on a day: a count that restarts do not forget."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.models.columns import time_column
from portal_app.models.sim_line import SimLineRow


class LinePoll(SQLModel, table=True):
    """The reads of one service's line on the last day in Japan on which it was polled, and when the last one was."""

    __tablename__ = "line_polls"

    service_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    day: date
    reads: int
    polled_at: datetime = time_column()

    @classmethod
    async def due(cls, session: AsyncSession, *, before: datetime, limit: int) -> list[tuple[UUID, int]]:
        """Return customer and service of linked lines that neither a poll nor a page has read since a moment."""
        not_polled = sa.or_(col(cls.polled_at).is_(None), col(cls.polled_at) < before)
        not_read = sa.or_(col(SimLineRow.read_at).is_(None), col(SimLineRow.read_at) < before)
        query = (
            select(SimLineRow.user_id, SimLineRow.service_id)
            .join(cls, col(cls.service_id) == col(SimLineRow.service_id), isouter=True)
            .where(SimLineRow.state == "linked", not_polled, not_read)
            .order_by(col(cls.polled_at).nulls_first(), col(SimLineRow.service_id))
            .limit(limit)
        )
        return [(user_id, service_id) for user_id, service_id in (await session.exec(query)).all()]

    @classmethod
    async def claim(
        cls, session: AsyncSession, service_id: int, *, day: date, at: datetime, before: datetime, most: int
    ) -> bool:
        """Count one more read of a line, and say whether it may be made: `most` a day, none since `before`."""
        write = insert(cls).values(service_id=service_id, day=day, reads=1, polled_at=at)
        is_new_day = col(cls.day) < write.excluded.day
        count = sa.case((is_new_day, 1), else_=col(cls.reads) + 1)
        values = {"day": write.excluded.day, "reads": count, "polled_at": write.excluded.polled_at}
        may_read = sa.and_(sa.or_(is_new_day, col(cls.reads) < most), col(cls.polled_at) < before)
        once = write.on_conflict_do_update(index_elements=["service_id"], set_=values, where=may_read)
        written = await (await session.connection()).execute(once.returning(col(cls.service_id)))
        return written.first() is not None
