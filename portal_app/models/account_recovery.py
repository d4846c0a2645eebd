"""Tokens of account recovery: password resets and unlocks."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.infra.database.locks import lock_name
from portal_app.models.columns import time_column


class RecoveryToken(SQLModel, table=True):
    """A token with one purpose: "reset" and "unlock" are mailed, "browser" is stored in a browser by an unlock link.

    Rows for addresses without an account have no user. They are written so that known and unknown addresses cause
    the same work.
    """

    __tablename__ = "entry_tokens"

    token_hash: bytes = Field(primary_key=True)
    purpose: str
    email_index: bytes = Field(index=True)
    user_id: UUID | None = Field(default=None, foreign_key="users.id")
    uses_left: int = 1
    expires_at: datetime = time_column()
    created_at: datetime = time_column(default_factory=now)

    @classmethod
    async def void(cls, session: AsyncSession, purpose: str, email_index: bytes) -> None:
        """Make the earlier tokens of an address for one purpose unusable: only its newest link works.

        Rows of addresses without an account are treated alike, so that both cause the same work.
        """
        connection = await session.connection()
        await lock_name(session, f"{purpose}:{email_index.hex()}")
        earlier = sa.update(cls).where(
            col(cls.email_index) == email_index, col(cls.purpose) == purpose, col(cls.uses_left) > 0
        )
        await connection.execute(earlier.values(uses_left=0))

    @classmethod
    async def usable(cls, session: AsyncSession, token_hash: bytes, purpose: str) -> "RecoveryToken | None":
        """Return a token with uses left, locked for this transaction so that concurrent uses are serialised."""
        query = select(cls).where(cls.token_hash == token_hash, cls.purpose == purpose).with_for_update()
        token = (await session.exec(query)).first()
        return token if token is not None and token.uses_left > 0 and token.expires_at > now() else None
