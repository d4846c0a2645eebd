"""Calls and SMS of SIM lines, sealed: who was called, when and how long cannot be read from the table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.calls.call import Call
from portal_app.infra.security.encrypted_column import EncryptedText, row_name
from portal_app.models.columns import encrypted_column

ID_PLACE, _CONTENT_PLACE = "sim_calls.id", "sim_calls.content"
_SEAL = EncryptedText(_CONTENT_PLACE)


@dataclass(frozen=True, slots=True)
class NewCall:
    """A record to be written. `id` is a keyed hash of the service and of what makes the record the same in any file."""

    id: UUID
    service_id: int
    user_id: UUID
    call: Call = field(repr=False)


class SimCall(SQLModel, table=True):
    """One record of one service's line. Only its month in Japan is readable, for the page's months and for cleanup."""

    __tablename__ = "sim_calls"
    __table_args__ = (sa.Index("ix_sim_calls_service_id_month", "service_id", "month"),)

    id: UUID = Field(primary_key=True)
    service_id: int
    user_id: UUID = Field(foreign_key="users.id", index=True)
    month: date = Field(index=True)
    content: str = encrypted_column(_CONTENT_PLACE)

    @classmethod
    async def months_of(cls, session: AsyncSession, user_id: UUID, service_id: int) -> list[date]:
        """Return the months with records of a customer's service, newest first."""
        own = sa.and_(col(cls.user_id) == user_id, col(cls.service_id) == service_id)
        query = select(col(cls.month)).where(own).group_by(col(cls.month)).order_by(col(cls.month).desc())
        return list((await session.exec(query)).all())

    @classmethod
    async def of_month(cls, session: AsyncSession, user_id: UUID, service_id: int, month: date) -> list[Call]:
        """Return a month's records of a customer's service, newest first."""
        query = select(cls).where(cls.user_id == user_id, cls.service_id == service_id, cls.month == month)
        found = [Call.from_json(row.content) for row in (await session.exec(query)).all()]
        return sorted(found, key=lambda each: (each.at, each.kind, each.other), reverse=True)

    @classmethod
    async def write(cls, session: AsyncSession, new: Sequence[NewCall]) -> tuple[int, int]:
        """Write records with ids of their own; return how many were new, and how many known ones were corrected."""
        known = {
            row.id: row
            for row in (await session.exec(select(cls).where(col(cls.id).in_([each.id for each in new])))).all()
        }
        changed = 0
        for each in new:
            row, content = known.get(each.id), each.call.to_json()
            if row is not None and row.content != content:
                row.content, changed = content, changed + 1
        rows = [
            {
                "id": each.id, "service_id": each.service_id, "user_id": each.user_id, "month": each.call.month,
                "content": _SEAL.bound_to(each.call.to_json(), row_name(each.id)),
            }
            for each in new
            if each.id not in known
        ]  # fmt: skip
        if not rows:
            return 0, changed
        # Another import may write the same file at the same time.
        write = insert(cls).values(rows).on_conflict_do_nothing(index_elements=["id"]).returning(col(cls.id))
        added = (await (await session.connection()).execute(write)).all()
        return len(added), changed
