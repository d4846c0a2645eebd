"""Sessions and their refresh tokens."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.models.columns import id_column, time_column


class Session(SQLModel, table=True):
    """One sign-in on one device. Once `ended_at` is set, no token of the session is valid.

    `confirmed_at` is the time of the last proof of identity, by sign-in or step-up.
    """

    __tablename__ = "sessions"

    id: UUID = id_column()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    factors: str
    browser: str = ""
    address: str = ""
    created_at: datetime = time_column(default_factory=now)
    used_at: datetime = time_column(default_factory=now)
    confirmed_at: datetime = time_column(default_factory=now)
    expires_at: datetime = time_column()
    ended_at: datetime | None = time_column(default=None, nullable=True)
    ended_because: str = ""
    device_hash: bytes | None = Field(default=None)

    @classmethod
    async def alive_of(cls, session: AsyncSession, user_id: UUID) -> "list[Session]":
        """Return a user's sessions without an end, newest first; idle and expired ones are included."""
        query = select(cls).where(cls.user_id == user_id, col(cls.ended_at).is_(None))
        return list((await session.exec(query.order_by(col(cls.created_at).desc()))).all())

    @classmethod
    async def dead_among(cls, session: AsyncSession, ids: Collection[UUID], *, idle: timedelta) -> set[UUID]:
        """Return those of some ids that no session has which is neither ended nor left idle or open for too long."""
        asked = sa.func.unnest(sa.cast(list(ids), ARRAY(sa.Uuid))).column_valued("asked")
        at = now()
        alive = sa.exists().where(
            col(cls.id) == asked,
            col(cls.ended_at).is_(None),
            col(cls.expires_at) > at,
            col(cls.used_at) > at - idle,
        )
        return set((await session.exec(select(asked).where(~alive))).all())

    @classmethod
    async def is_new_device(cls, session: AsyncSession, user_id: UUID, device_hash: bytes | None) -> bool:
        """Return whether the user has signed in before, but not from this device."""
        known = select(col(cls.device_hash)).where(cls.user_id == user_id).distinct()
        seen = (await session.exec(known)).all()
        return bool(seen) and (device_hash is None or device_hash not in seen)


class RefreshToken(SQLModel, table=True):
    """One refresh token. `used_at` is when its first successor was issued, `closed` tokens are never accepted again."""

    __tablename__ = "refresh_tokens"

    token_hash: bytes = Field(primary_key=True)
    session_id: UUID = Field(foreign_key="sessions.id", index=True)
    predecessor: bytes | None = Field(default=None)
    issued_at: datetime = time_column(default_factory=now)
    used_at: datetime | None = time_column(default=None, nullable=True)
    closed: bool = False

    @classmethod
    async def by_hash(cls, session: AsyncSession, token_hash: bytes) -> "RefreshToken | None":
        """Return a token or None, locked for this transaction so that concurrent rotations are serialised."""
        return (await session.exec(select(cls).where(cls.token_hash == token_hash).with_for_update())).first()
