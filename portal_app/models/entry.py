"""Ways back into an account: mailed tokens, and the tries that failed."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.models.columns import moment, now


class EntryToken(SQLModel, table=True):
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
    async def usable(cls, session: AsyncSession, token_hash: bytes, purpose: str) -> "EntryToken | None":
        """Find a token that is good for one more use, locked for this transaction so that two uses queue up."""
        query = select(cls).where(cls.token_hash == token_hash, cls.purpose == purpose).with_for_update()
        token = (await session.exec(query)).first()
        return token if token is not None and token.uses_left > 0 and token.expires_at > now() else None


class SignInTries(SQLModel, table=True):
    """How often in a row signing in with an address was tried in vain, and until when nobody may try again."""

    __tablename__ = "sign_in_tries"

    email_index: bytes = Field(primary_key=True)
    tries: int
    tried_at: datetime = moment()
    locked_until: datetime | None = moment(default=None, nullable=True)


# One statement, so that tries which arrive together are counted one after the other.
COUNT_TRY = sa.text("""
INSERT INTO sign_in_tries AS t (email_index, tries, tried_at) VALUES (:email_index, 1, :now)
ON CONFLICT (email_index) DO UPDATE SET
    tries = CASE WHEN t.tried_at < :forgotten THEN 1 ELSE t.tries + 1 END,
    tried_at = :now,
    locked_until = CASE WHEN t.tried_at >= :forgotten AND t.tries + 1 >= :most
        THEN :now + LEAST(:first * power(2, LEAST(t.tries + 1 - :most, 20)), :longest) * interval '1 second' END
WHERE :is_let_through OR t.locked_until IS NULL OR t.locked_until <= :now
RETURNING tries
""").bindparams(
    sa.bindparam("now", type_=sa.DateTime(timezone=True)), sa.bindparam("forgotten", type_=sa.DateTime(timezone=True))
)
