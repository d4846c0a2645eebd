"""Second factors (authenticator, recovery codes, passkeys), WebAuthn challenges and pending sign-ins."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.models.columns import encrypted_column, id_column, time_column


class Authenticator(SQLModel, table=True):
    """The secret shared with an authenticator app; active from `confirmed_at`.

    `last_step` is the newest time step (RFC 6238) used, so that no code works twice.
    """

    __tablename__ = "authenticators"

    user_id: UUID = Field(primary_key=True, foreign_key="users.id")
    secret: str = encrypted_column("authenticators.secret")
    confirmed_at: datetime | None = time_column(default=None, nullable=True)
    last_step: int = Field(default=0, sa_type=sa.BigInteger)
    created_at: datetime = time_column(default_factory=now)

    @classmethod
    async def for_user(cls, session: AsyncSession, user_id: UUID) -> "Authenticator | None":
        """Return a user's authenticator or None, locked for this transaction."""
        return (await session.exec(select(cls).where(cls.user_id == user_id).with_for_update())).first()


class RecoveryCode(SQLModel, table=True):
    """A one-time code for use without the authenticator."""

    __tablename__ = "recovery_codes"

    id: UUID = id_column()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    code_hash: bytes
    used_at: datetime | None = time_column(default=None, nullable=True)
    created_at: datetime = time_column(default_factory=now)


class Passkey(SQLModel, table=True):
    """A WebAuthn credential (public key)."""

    __tablename__ = "passkeys"

    id: UUID = id_column()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    credential_id: bytes = Field(unique=True)
    public_key: bytes
    sign_count: int = Field(sa_type=sa.BigInteger)
    transports: str = ""
    name: str = encrypted_column("passkeys.name")
    created_at: datetime = time_column(default_factory=now)
    used_at: datetime | None = time_column(default=None, nullable=True)

    @classmethod
    async def user_id_for(cls, session: AsyncSession, credential_id: bytes) -> UUID | None:
        """Return the user of a passkey, by its credential id."""
        return (await session.exec(select(cls.user_id).where(cls.credential_id == credential_id))).first()

    @classmethod
    async def by_credential(cls, session: AsyncSession, credential_id: bytes) -> "Passkey | None":
        """Return a passkey by its credential id or None, locked for this transaction."""
        return (await session.exec(select(cls).where(cls.credential_id == credential_id).with_for_update())).first()

    @classmethod
    async def all_of(cls, session: AsyncSession, user_id: UUID) -> "list[Passkey]":
        """Return a user's passkeys, oldest first."""
        return list((await session.exec(select(cls).where(cls.user_id == user_id).order_by(col(cls.created_at)))).all())


class Challenge(SQLModel, table=True):
    """A WebAuthn challenge that was issued: for one purpose, one user (none at sign-in) and one use."""

    __tablename__ = "challenges"

    challenge_hash: bytes = Field(primary_key=True)
    user_id: UUID | None = Field(default=None, foreign_key="users.id")
    purpose: str
    expires_at: datetime = time_column()


class PendingSignIn(SQLModel, table=True):
    """A sign-in with a verified password that still needs a second factor."""

    __tablename__ = "pending_sign_ins"

    token_hash: bytes = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="users.id")
    attempts_left: int
    expires_at: datetime = time_column()

    @classmethod
    async def by_token(cls, session: AsyncSession, token_hash: bytes) -> "PendingSignIn | None":
        """Return a pending sign-in by the hash of its cookie or None, locked for this transaction."""
        return (await session.exec(select(cls).where(cls.token_hash == token_hash).with_for_update())).first()
