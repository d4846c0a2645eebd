"""Wrong proofs within an open session: recorded, counted per account over days, locked, and told to the owner."""

import math
from datetime import timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import RateLimited
from portal_app.infra.clock import now
from portal_app.language.phrase import Phrase
from portal_app.models.lockout import COUNT_ATTEMPT, SignInAttempts
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext

_LOCKED = "Too many wrong tries. Try again in {minutes} min, or set a new password by mail."
# Cleanup keeps the counter for as long: a thief of a session has days.
FORGOTTEN_AFTER = timedelta(days=7)


class ProofAttempts:
    """Counts the passwords and codes that a signed-in account is asked for again, wherever that is.

    They are counted before they are checked, so that concurrent attempts cannot exceed the limit. The locks are those
    of sign-in, with a counter of their own: a thief who has a session only cannot lock the owner out of signing in.
    """

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    async def count(self, user_id: UUID) -> int:
        """Count one attempt and return the number in a row. Raises RateLimited while the account is locked."""
        settings, moment = self._context.settings, now()
        values = {
            "email_index": self._index(user_id),
            "now": moment,
            "forgotten": moment - FORGOTTEN_AFTER,
            "most": settings.portal_lock_tries,
            "first": settings.portal_lock_seconds,
            "longest": settings.portal_lock_longest_seconds,
            "is_let_through": False,
        }
        async with self._context.database.identity() as session:
            attempts = (await (await session.connection()).execute(COUNT_ATTEMPT, values)).scalar_one_or_none()
            if attempts is not None:
                return int(attempts)
            row = await session.get(SignInAttempts, self._index(user_id))
        seconds = (row.locked_until - moment).total_seconds() if row and row.locked_until else 1
        minutes = max(1, math.ceil(seconds / 60))
        raise RateLimited(max(1, math.ceil(seconds)), user_message=Phrase(_LOCKED, minutes=minutes))

    async def reset(self, session: AsyncSession, user_id: UUID) -> None:
        """Forget the attempts after a right proof, in the caller's transaction."""
        if (row := await session.get(SignInAttempts, self._index(user_id))) is not None:
            await session.delete(row)

    async def record_failure(self, session: AsyncSession, user_id: UUID, tag: Tag, attempts: int) -> None:
        """Record a wrong proof in the caller's transaction; mail the owner once, when the account is first locked."""
        record(session, tag, user_id=user_id, actor="you")
        if attempts == self._context.settings.portal_lock_tries:
            user = await User.required(session, user_id)
            await self._context.email_outbox.enqueue(session, "proof_locked", recipient=user.email, user_id=user_id)

    def _index(self, user_id: UUID) -> bytes:
        return self._context.secrets.tokens.hash(str(user_id), "proof-attempts")
