"""Mailed tokens that lead back into an account."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.models.columns import moment


class RecoveryToken(SQLModel, table=True):
    """A token of one purpose: "reset" and "unlock" travel by mail, "browser" is what an unlock link leaves behind.

    Rows for addresses without an account have no user: they are made so that both cases are the same work.
    """

    __tablename__ = "entry_tokens"

    token_hash: bytes = Field(primary_key=True)
    purpose: str
    email_index: bytes = Field(index=True)
    user_id: UUID | None = Field(default=None, foreign_key="users.id")
    uses_left: int = 1
    expires_at: datetime = moment()
    created_at: datetime = moment(default_factory=now)

    @classmethod
    async def usable(cls, session: AsyncSession, token_hash: bytes, purpose: str) -> "RecoveryToken | None":
        """Find a token that is good for one more use, locked for this transaction so that two uses queue up."""
        query = select(cls).where(cls.token_hash == token_hash, cls.purpose == purpose).with_for_update()
        token = (await session.exec(query)).first()
        return token if token is not None and token.uses_left > 0 and token.expires_at > now() else None
