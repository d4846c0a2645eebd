"""What a SIM line used on each day, as the portal read it."""

import json
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.models.columns import time_column

# More rows would make one statement too large.
_AT_ONCE = 1000
# One row a line: a file has thousands of lines, each with a month of days.
_DAYS = sa.text("""
SELECT service_id, array_agg(day) AS days, array_agg(used_bytes) AS used FROM sim_readings
WHERE service_id = ANY(:ids) AND day >= :since AND NOT is_set_aside GROUP BY service_id
""")
# All rows are one value: as thousands of values the statement takes longer to write than to run.
_WRITE = sa.text("""
INSERT INTO sim_readings AS known (service_id, day, user_id, used_bytes, source, is_set_aside, read_at)
SELECT service_id, day, user_id, used_bytes, source, is_set_aside, read_at
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told(service_id int, day date, user_id uuid, used_bytes bigint,
    source text, is_set_aside boolean, read_at timestamptz)
ON CONFLICT (service_id, day) DO UPDATE
SET used_bytes = EXCLUDED.used_bytes, source = EXCLUDED.source, is_set_aside = EXCLUDED.is_set_aside,
    read_at = EXCLUDED.read_at
WHERE (known.used_bytes <> EXCLUDED.used_bytes OR known.source <> EXCLUDED.source)
    AND (EXCLUDED.source = 'file' OR known.source <> 'file')
RETURNING day
""")


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
        found = await (await session.connection()).execute(_DAYS, {"ids": service_ids, "since": since})
        return [(row.service_id, *day) for row in found for day in zip(row.days, row.used, strict=True)]

    @classmethod
    async def write(cls, session: AsyncSession, rows: list[dict[str, Any]]) -> int:
        """Write readings; return how many were new or changed. What a file told is replaced by files only."""
        connection, changed = await session.connection(), 0
        for start in range(0, len(rows), _AT_ONCE):
            values = json.dumps(rows[start : start + _AT_ONCE], default=str)
            changed += len((await connection.execute(_WRITE, {"rows": values})).all())
        return changed
