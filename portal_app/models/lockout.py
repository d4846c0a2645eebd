"""Failed attempts to sign in, per e-mail address, and to confirm a signed-in account, per account."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal_app.models.columns import time_column


class SignInAttempts(SQLModel, table=True):
    """The number of consecutive failed attempts, and the end of the lock they led to.

    Counted for an address by its look-up hash, and apart from it, each by a hash of its own, for each known device and
    for an account whose password or code is asked for again.
    """

    __tablename__ = "sign_in_tries"

    email_index: bytes = Field(primary_key=True)
    tries: int
    tried_at: datetime = time_column()
    locked_until: datetime | None = time_column(default=None, nullable=True)


# One statement, so that concurrent attempts are counted one by one.
COUNT_ATTEMPT = sa.text("""
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

# An attempt that was counted and then not checked. A lock stays where others would have led to it.
UNCOUNT_ATTEMPT = sa.text("""
UPDATE sign_in_tries SET
    tries = tries - 1, locked_until = CASE WHEN tries > :most THEN locked_until END
WHERE email_index = :email_index AND tries > 0
""")
TOUCH_ATTEMPTS = sa.text("UPDATE sign_in_tries SET tries = tries WHERE email_index = :email_index")
