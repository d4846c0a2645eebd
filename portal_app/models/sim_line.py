"""SIM lines as the portal knows them: whose service each is, and what was last read of it."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.sim.line_link import LinkRefusal
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.infra.clock import now
from portal_app.models.columns import encrypted_column, json_column, time_column


class SimLineRow(SQLModel, table=True):
    """The line of one SIM service, or why none is accepted (`reason`).

    `number_index` is the keyed hash of the number, set where the line is linked: a number has one service. `body` is
    what was last read of the line, as `LineSnapshot` writes it.
    """

    __tablename__ = "sim_lines"

    service_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    user_id: UUID = Field(foreign_key="users.id", index=True)
    state: str = "linked"
    reason: str = ""
    number: str = encrypted_column("sim_lines.number")
    number_index: bytes | None = Field(default=None, unique=True)
    iccid: str = encrypted_column("sim_lines.iccid")
    eid: str = encrypted_column("sim_lines.eid")
    body: dict[str, Any] = json_column(default_factory=dict)
    checked_at: datetime = time_column(default_factory=now)
    read_at: datetime | None = time_column(default=None, nullable=True)
    reconciled_at: datetime | None = time_column(default=None, nullable=True, index=True)

    @property
    def is_linked(self) -> bool:
        """Whether the line is the service's."""
        return self.state == "linked"

    @property
    def refusal(self) -> LinkRefusal:
        """Why the line was not accepted."""
        return cast(LinkRefusal, self.reason)

    def end(self) -> None:
        """Unlink the line for good: the carrier may give its number to another customer."""
        self.state, self.reason, self.number_index = "ended", "line_over", None

    def to_snapshot(self) -> LineSnapshot:
        """Return what was last read of the line."""
        return LineSnapshot.from_json(self.body)

    @classmethod
    async def of_service(cls, session: AsyncSession, user_id: UUID, service_id: int) -> "SimLineRow | None":
        """Return the row of a customer's service, or None."""
        query = select(cls).where(cls.user_id == user_id, cls.service_id == service_id)
        return (await session.exec(query)).first()

    @classmethod
    async def of_number(cls, session: AsyncSession, number_index: bytes) -> "SimLineRow | None":
        """Return the linked row of a number, of any customer: for the worker."""
        return (await session.exec(select(cls).where(cls.number_index == number_index))).first()

    @classmethod
    async def oldest(cls, session: AsyncSession, *, before: datetime, limit: int) -> "list[SimLineRow]":
        """Return linked lines that were not compared since a moment, those never compared first."""
        old = sa.or_(col(cls.reconciled_at).is_(None), col(cls.reconciled_at) < before)
        query = select(cls).where(cls.state == "linked", old)
        ordered = query.order_by(col(cls.reconciled_at).nulls_first(), col(cls.service_id)).limit(limit)
        return list((await session.exec(ordered)).all())
