"""Changes of SIM lines that are under way at the carrier, and the locks that follow from them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.sim.line_change import LineChange
from portal_app.models.columns import json_column, time_column

# Under which place of the key ring numbers and ICCIDs are hashed.
LINE_PLACE, ICCID_PLACE = "sim_reservations.number", "sim_lines.iccid"


class LineChangeRow(SQLModel, table=True):
    """One change of one line; a line has at most one of each kind. `line` is the keyed hash of its number.

    It locks until `held_until`. `wanted` is what the line shows once the change was carried out, None where that is
    not watched. `is_at_most`: the carrier told of the lock, and not since when.
    """

    __tablename__ = "line_changes"

    line: bytes = Field(primary_key=True)
    kind: str = Field(primary_key=True, max_length=40)
    token: UUID
    state: str = "open"
    started_at: datetime = time_column()
    held_until: datetime = time_column(index=True)
    wanted: dict[str, Any] | None = json_column(default=None, nullable=True)
    is_at_most: bool = False

    def to_domain(self) -> LineChange:
        """Return the domain object."""
        return LineChange(
            kind=self.kind,
            started_at=self.started_at,
            held_until=self.held_until,
            wanted=self.wanted,
            has_failed=self.state == "failed",
            is_at_most=self.is_at_most,
        )

    async def release_others(self, session: AsyncSession) -> None:
        """Delete the other locks that the same change holds."""
        same = sa.delete(LineChangeRow).where(
            col(LineChangeRow.line) == self.line,
            col(LineChangeRow.token) == self.token,
            col(LineChangeRow.kind) != self.kind,
        )
        await (await session.connection()).execute(same)

    @classmethod
    def has_wish(cls) -> sa.ColumnElement[bool]:
        """Return the condition of changes whose outcome the line shows."""
        return col(cls.wanted).is_not(None)

    @classmethod
    async def of_line(cls, session: AsyncSession, line: bytes) -> "list[LineChangeRow]":
        """Return what is noted of a line, oldest first."""
        query = select(cls).where(cls.line == line).order_by(col(cls.started_at))
        return list((await session.exec(query)).all())

    @classmethod
    async def delete(
        cls, session: AsyncSession, line: bytes, kinds: Iterable[str], *, token: UUID | None = None
    ) -> None:
        """Delete changes of some kinds, only those of one holder where a token is given."""
        gone = sa.delete(cls).where(col(cls.line) == line, col(cls.kind).in_(list(kinds)))
        await (await session.connection()).execute(gone.where(col(cls.token) == token) if token else gone)
