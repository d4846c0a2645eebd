"""What proves an account's owner beside the password, and what is asked for on the way in."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.models.columns import key, moment, sealed


class Authenticator(SQLModel, table=True):
    """The secret shared with an authenticator app; it counts once `confirmed_at` is set.

    `last_step` is the newest time step (RFC 6238) that was used: no code works twice.
    """

    __tablename__ = "authenticators"

    user_id: UUID = Field(primary_key=True, foreign_key="users.id")
    secret: str = sealed("authenticators.secret")
    confirmed_at: datetime | None = moment(default=None, nullable=True)
    last_step: int = Field(default=0, sa_type=sa.BigInteger)
    created_at: datetime = moment(default_factory=now)

    @classmethod
    async def for_user(cls, session: AsyncSession, user_id: UUID) -> "Authenticator | None":
        """Find a user's authenticator, locked for this transaction."""
        return (await session.exec(select(cls).where(cls.user_id == user_id).with_for_update())).first()


class RecoveryCode(SQLModel, table=True):
    """One code for when the authenticator is lost."""

    __tablename__ = "recovery_codes"

    id: UUID = key()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    code_hash: bytes
    used_at: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment(default_factory=now)


class Passkey(SQLModel, table=True):
    """A WebAuthn credential; the private half never leaves the customer's device."""

    __tablename__ = "passkeys"

    id: UUID = key()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    credential_id: bytes = Field(unique=True)
    public_key: bytes
    sign_count: int = Field(sa_type=sa.BigInteger)
    transports: str = ""
    name: str = sealed("passkeys.name")
    created_at: datetime = moment(default_factory=now)
    used_at: datetime | None = moment(default=None, nullable=True)

    @classmethod
    async def owner_of(cls, session: AsyncSession, credential_id: bytes) -> UUID | None:
        """Say whose a passkey is, by the authenticator's id of it."""
        return (await session.exec(select(cls.user_id).where(cls.credential_id == credential_id))).first()

    @classmethod
    async def by_credential(cls, session: AsyncSession, credential_id: bytes) -> "Passkey | None":
        """Find a passkey by the authenticator's id of it, locked for this transaction."""
        return (await session.exec(select(cls).where(cls.credential_id == credential_id).with_for_update())).first()

    @classmethod
    async def all_of(cls, session: AsyncSession, user_id: UUID) -> "list[Passkey]":
        """Return a user's passkeys, oldest first."""
        return list((await session.exec(select(cls).where(cls.user_id == user_id).order_by(col(cls.created_at)))).all())


class Challenge(SQLModel, table=True):
    """A WebAuthn challenge on its way: for one purpose, one user (none at sign-in), one use."""

    __tablename__ = "challenges"

    challenge_hash: bytes = Field(primary_key=True)
    user_id: UUID | None = Field(default=None, foreign_key="users.id")
    purpose: str
    expires_at: datetime = moment()


class PendingSignIn(SQLModel, table=True):
    """A sign-in whose password was right and whose second step is still to come."""

    __tablename__ = "pending_sign_ins"

    token_hash: bytes = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="users.id")
    attempts_left: int
    expires_at: datetime = moment()

    @classmethod
    async def by_token(cls, session: AsyncSession, token_hash: bytes) -> "PendingSignIn | None":
        """Find a pending sign-in by the hash of its cookie, locked for this transaction."""
        return (await session.exec(select(cls).where(cls.token_hash == token_hash).with_for_update())).first()
