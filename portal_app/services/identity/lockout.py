"""Account lockout: repeated failures lock an e-mail address, longer each time, whether or not it has an account."""

import math
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotSignedIn, RateLimited
from portal_app.infra.clock import now
from portal_app.language.phrase import Phrase
from portal_app.models.account_recovery import RecoveryToken
from portal_app.models.lockout import COUNT_ATTEMPT, UNCOUNT_ATTEMPT, SignInAttempts
from portal_app.models.user import User
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.sign_in_tries import Signer

LINK_ENDED = "This link has been used or has run out. Ask for a new one."
_LOCKED = (
    "Too many tries with this address. Try again in {minutes} min. The link we have mailed to the address lifts this "
    "wait in your browser."
)
_RESET_AFTER = timedelta(days=1)
# An unlock link gives the browser ten attempts: enough to remember a password, too few to guess one.
_BROWSER_LIFETIME, _BROWSER_ATTEMPTS = timedelta(days=1), 10


class Lockout:
    """Counts attempts before the password is checked, so that concurrent attempts cannot exceed the limit."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    async def count_attempt(self, session: AsyncSession, signer: Signer) -> int:
        """Count one attempt and return the number in a row. Raises RateLimited while the address is locked.

        A known device has a count of its own: strangers can lock an address for strangers only.
        """
        is_let_through = await self._use_browser_key(session, signer.index, signer.browser_key)
        settings = self._context.settings
        moment = now()
        values = {
            "email_index": signer.tries_key,
            "now": moment,
            "forgotten": moment - _RESET_AFTER,
            "most": settings.portal_lock_tries,
            "first": settings.portal_lock_seconds,
            "longest": settings.portal_lock_longest_seconds,
            "is_let_through": is_let_through,
        }
        attempts = (await (await session.connection()).execute(COUNT_ATTEMPT, values)).scalar_one_or_none()
        if attempts is not None:
            return int(attempts)
        row = await session.get(SignInAttempts, signer.tries_key)
        seconds = (row.locked_until - moment).total_seconds() if row and row.locked_until else 1
        minutes = max(1, math.ceil(seconds / 60))
        raise RateLimited(max(1, math.ceil(seconds)), user_message=Phrase(_LOCKED, minutes=minutes))

    async def uncount_attempt(self, signer: Signer) -> None:
        """Take a counted attempt back: its password was not checked."""
        values = {"email_index": signer.tries_key, "most": self._context.settings.portal_lock_tries}
        async with self._context.database.identity() as session:
            await (await session.connection()).execute(UNCOUNT_ATTEMPT, values)

    async def reset_count(self, session: AsyncSession, tries_key: bytes) -> None:
        """Reset a counter after a successful sign-in; that of strangers stays after one of a known device."""
        if (row := await session.get(SignInAttempts, tries_key)) is not None:
            await session.delete(row)

    async def notify_owner(self, session: AsyncSession, index: bytes, user: User | None, attempts: int) -> None:
        """Mail the owner an unlock link when the address is locked.

        For an unknown address the same rows are written, without a recipient, so that the work does not differ.
        """
        if attempts % self._context.settings.portal_lock_tries:
            return
        token = await self._issue(session, "unlock", index, user)
        await self._context.email_outbox.enqueue(
            session,
            "sign_in_locked",
            recipient=user.email if user else "",
            user_id=user.id if user else None,
            token=token,
            email=user.email if user else "",
        )

    async def unlock(self, token: str) -> str:
        """Exchange a mailed token, once, for the key that gives one browser more attempts. Raises NotSignedIn."""
        async with self._context.database.identity() as session:
            found = await RecoveryToken.usable(session, self._context.secrets.tokens.hash(token, "unlock"), "unlock")
            if found is None:
                raise NotSignedIn("unlock link", user_message=LINK_ENDED)
            found.uses_left = 0
            user = await session.get(User, found.user_id) if found.user_id else None
            return await self._issue(session, "browser", found.email_index, user)

    async def _issue(self, session: AsyncSession, purpose: str, index: bytes, user: User | None) -> str:
        token = self._context.secrets.tokens.new()
        is_browser = purpose == "browser"
        if not is_browser:
            await RecoveryToken.void(session, purpose, index)
        link_lifetime = timedelta(seconds=self._context.settings.portal_unlock_seconds)
        session.add(
            RecoveryToken(
                token_hash=self._context.secrets.tokens.hash(token, purpose),
                purpose=purpose,
                email_index=index,
                user_id=user.id if user else None,
                uses_left=_BROWSER_ATTEMPTS if is_browser else 1,
                expires_at=now() + (_BROWSER_LIFETIME if is_browser else link_lifetime),
            )
        )
        return token

    async def _use_browser_key(self, session: AsyncSession, index: bytes, browser_key: str) -> bool:
        if not browser_key:
            return False
        hashed = self._context.secrets.tokens.hash(browser_key, "browser")
        found = await RecoveryToken.usable(session, hashed, "browser")
        if found is None or found.email_index != index:
            return False
        found.uses_left -= 1
        return True
