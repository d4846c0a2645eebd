"""Sessions and their chains of refresh tokens."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.models.columns import key, moment


class Session(SQLModel, table=True):
    """One sign-in on one device; `ended_at` says it is over, whatever any token says.

    `confirmed_at` is when its owner last proved who they are, by signing in or by a step-up.
    """

    __tablename__ = "sessions"

    id: UUID = key()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    factors: str
    browser: str = ""
    address: str = ""
    created_at: datetime = moment(default_factory=now)
    used_at: datetime = moment(default_factory=now)
    confirmed_at: datetime = moment(default_factory=now)
    expires_at: datetime = moment()
    ended_at: datetime | None = moment(default=None, nullable=True)
    ended_because: str = ""
    device_hash: bytes | None = Field(default=None)

    @classmethod
    async def alive_of(cls, session: AsyncSession, user_id: UUID) -> "list[Session]":
        """Return a user's sessions that were not ended, newest first."""
        query = select(cls).where(cls.user_id == user_id, col(cls.ended_at).is_(None))
        return list((await session.exec(query.order_by(col(cls.created_at).desc()))).all())

    @classmethod
    async def is_new_device(cls, session: AsyncSession, user_id: UUID, device_hash: bytes | None) -> bool:
        """Say whether a user has signed in before, but never from this device."""
        known = select(col(cls.device_hash)).where(cls.user_id == user_id).distinct()
        seen = (await session.exec(known)).all()
        return bool(seen) and (device_hash is None or device_hash not in seen)


class RefreshToken(SQLModel, table=True):
    """One link of a session's chain. `used_at` is when its successor was issued."""

    __tablename__ = "refresh_tokens"

    token_hash: bytes = Field(primary_key=True)
    session_id: UUID = Field(foreign_key="sessions.id", index=True)
    predecessor: bytes | None = Field(default=None)
    issued_at: datetime = moment(default_factory=now)
    used_at: datetime | None = moment(default=None, nullable=True)
    closed: bool = False

    @classmethod
    async def by_hash(cls, session: AsyncSession, token_hash: bytes) -> "RefreshToken | None":
        """Find a token, locked for this transaction so that two rotations queue up."""
        return (await session.exec(select(cls).where(cls.token_hash == token_hash).with_for_update())).first()
