"""Lockout: after repeated failures an address rests, longer each time. Known and unknown addresses rest alike."""

import math
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotSignedIn, RateLimited
from portal_app.infra.clock import now
from portal_app.language.phrase import Phrase
from portal_app.models.account_recovery import RecoveryToken
from portal_app.models.lockout import COUNT_TRY, SignInTries
from portal_app.models.user import User
from portal_app.services.identity.context import ServiceContext

LINK_ENDED = "This link has been used or has run out. Ask for a new one."
_LOCKED = (
    "Too many tries with this address. Try again in {minutes} min. The link we have mailed to the address lifts this "
    "wait in your browser."
)
_FORGOTTEN = timedelta(days=1)
# What the link leaves in a browser: enough tries to remember a password, too few to guess one.
_BROWSER_LIVES, _BROWSER_TRIES = timedelta(days=1), 10


class Lockout:
    """Count tries before they are made, so that many at once cannot slip through together."""

    def __init__(self, base: ServiceContext) -> None:
        self._base = base

    async def count(self, session: AsyncSession, index: bytes, browser_key: str) -> int:
        """Count one try and return how many it makes in a row. Raises RateLimited while the address rests."""
        let_through = await self._spend(session, index, browser_key)
        settings = self._base.settings
        moment = now()
        values = {
            "email_index": index,
            "now": moment,
            "forgotten": moment - _FORGOTTEN,
            "most": settings.portal_lock_tries,
            "first": settings.portal_lock_seconds,
            "longest": settings.portal_lock_longest_seconds,
            "is_let_through": let_through,
        }
        tries = (await (await session.connection()).execute(COUNT_TRY, values)).scalar_one_or_none()
        if tries is not None:
            return int(tries)
        row = await session.get(SignInTries, index)
        seconds = (row.locked_until - moment).total_seconds() if row and row.locked_until else 1
        minutes = max(1, math.ceil(seconds / 60))
        raise RateLimited(max(1, math.ceil(seconds)), user_message=Phrase(_LOCKED, minutes=minutes))

    async def forget(self, session: AsyncSession, index: bytes) -> None:
        """Count from nought again: somebody has proven the password."""
        if (row := await session.get(SignInTries, index)) is not None:
            await session.delete(row)

    async def notify_owner(self, session: AsyncSession, index: bytes, user: User | None, tries: int) -> None:
        """Mail the owner a way out when the lock falls. For an unknown address the same is written, to nobody."""
        if tries % self._base.settings.portal_lock_tries:
            return
        token = await self._issue(session, "unlock", index, user)
        await self._base.notifications.mail(
            session,
            "sign_in_locked",
            recipient=user.email if user else "",
            user_id=user.id if user else None,
            token=token,
            email=user.email if user else "",
        )

    async def unlock(self, token: str) -> str:
        """Exchange a mailed token, once, for the key that lets one browser try again. Raises NotSignedIn."""
        async with self._base.database.identity() as session:
            found = await RecoveryToken.usable(session, self._base.vault.tokens.hash(token, "unlock"), "unlock")
            if found is None:
                raise NotSignedIn("unlock link", user_message=LINK_ENDED)
            found.uses_left = 0
            user = await session.get(User, found.user_id) if found.user_id else None
            return await self._issue(session, "browser", found.email_index, user)

    async def _issue(self, session: AsyncSession, purpose: str, index: bytes, user: User | None) -> str:
        token = self._base.vault.tokens.new()
        is_browser = purpose == "browser"
        session.add(
            RecoveryToken(
                token_hash=self._base.vault.tokens.hash(token, purpose),
                purpose=purpose,
                email_index=index,
                user_id=user.id if user else None,
                uses_left=_BROWSER_TRIES if is_browser else 1,
                expires_at=now()
                + (_BROWSER_LIVES if is_browser else timedelta(seconds=self._base.settings.portal_unlock_seconds)),
            )
        )
        return token

    async def _spend(self, session: AsyncSession, index: bytes, browser_key: str) -> bool:
        if not browser_key:
            return False
        hashed = self._base.vault.tokens.hash(browser_key, "browser")
        found = await RecoveryToken.usable(session, hashed, "browser")
        if found is None or found.email_index != index:
            return False
        found.uses_left -= 1
        return True
