"""What a SIM line used on each day, as the portal read it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.models.columns import time_column

# More rows would make one statement too large.
_AT_ONCE = 1000


class SimReading(SQLModel, table=True):
    """One whole day of one service's line. `source` is `file` for the carrier's file and `visit` for a page's read.

    `is_set_aside`: the amount cannot be, and is not used.
    """

    __tablename__ = "sim_readings"

    service_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    day: date = Field(primary_key=True, index=True)
    user_id: UUID = Field(foreign_key="users.id", index=True)
    used_bytes: int = Field(sa_type=sa.BigInteger)
    source: str = "visit"
    is_set_aside: bool = False
    read_at: datetime = time_column(default_factory=now)

    @classmethod
    async def days_of(cls, session: AsyncSession, service_id: int, *, since: date) -> dict[date, int]:
        """Return the bytes of each day that counts, since a day."""
        query = select(col(cls.day), col(cls.used_bytes)).where(
            cls.service_id == service_id, col(cls.day) >= since, col(cls.is_set_aside).is_(False)
        )
        return dict((await session.exec(query)).all())

    @classmethod
    async def days_of_lines(
        cls, session: AsyncSession, service_ids: list[int], since: date
    ) -> list[tuple[int, date, int]]:
        """Return service, day and bytes of the days of several lines that count, since a day."""
        query = select(col(cls.service_id), col(cls.day), col(cls.used_bytes)).where(
            col(cls.service_id).in_(service_ids), col(cls.day) >= since, col(cls.is_set_aside).is_(False)
        )
        return [(service_id, day, used) for service_id, day, used in (await session.exec(query)).all()]

    @classmethod
    async def write(cls, session: AsyncSession, rows: list[dict[str, Any]]) -> int:
        """Write readings; return how many were new or changed. What a file told is replaced by files only."""
        changed = 0
        for start in range(0, len(rows), _AT_ONCE):
            write = insert(cls).values(rows[start : start + _AT_ONCE])
            values = {name: write.excluded[name] for name in ("used_bytes", "source", "is_set_aside", "read_at")}
            is_news = sa.or_(col(cls.used_bytes) != write.excluded.used_bytes, col(cls.source) != write.excluded.source)
            may_write = sa.or_(write.excluded.source == "file", col(cls.source) != "file")
            again = write.on_conflict_do_update(
                index_elements=["service_id", "day"], set_=values, where=sa.and_(is_news, may_write)
            ).returning(col(cls.day))
            changed += len((await (await session.connection()).execute(again)).all())
        return changed
