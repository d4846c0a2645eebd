"""Signing in with a password: one answer, in the same words and time, for whatever is wrong."""

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotSignedIn
from portal_app.domain.identity.account import Origin, SecondStepAsked, Tokens
from portal_app.infra.security.password_policy import MAX_LENGTH
from portal_app.models.user import EMAIL_PLACE, User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.account_closing import CLOSED
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.lockout import Lockout
from portal_app.services.identity.sign_in_completion import SignInCompletion

WRONG_SIGN_IN = "That e-mail address and password do not match. Check both, or reset your password."


class SignIn:
    """Check passwords and let their owners in."""

    def __init__(self, base: ServiceContext, completion: SignInCompletion, lockout: Lockout) -> None:
        self._base = base
        self.completion = completion
        self._lockout = lockout

    async def with_password(
        self, email: str, password: str, origin: Origin, *, browser_key: str = ""
    ) -> Tokens | SecondStepAsked:
        """Check a password and admit its owner, or ask for the second step.

        `browser_key` is what an unlock link left in this browser. Raises NotSignedIn in the same words and time for
        every reason, and RateLimited, which says nothing about the account either.
        """
        index = self._base.vault.ring.index(email, EMAIL_PLACE)
        await self._within_limits(origin)
        async with self._base.database.identity() as session:
            tries = await self._lockout.count(session, index, browser_key)
            user = await User.by_email(session, index)
        right, rehashed = await self._check(password, user)
        async with self._base.database.identity() as session:
            owner = await self._still(session, user, for_change=bool(rehashed)) if user and right else None
            if owner is not None:
                await self._lockout.forget(session, index)
                owner.password_hash = rehashed or owner.password_hash
                return await self.completion.after_password(session, owner, origin)
            record(session, Tag.SIGN_IN_FAILED, user_id=user.id if user else None, actor="you")
            await self._lockout.notify_owner(session, index, user, tries)
        raise NotSignedIn("wrong e-mail or password", user_message=WRONG_SIGN_IN)

    @staticmethod
    async def _still(session: AsyncSession, checked: User, *, for_change: bool) -> User | None:
        """Return the user, held, unless the account was closed or its password changed while it was checked."""
        owner = await User.held(session, checked.id, for_change=for_change)
        if owner is None or owner.status == CLOSED or owner.password_hash != checked.password_hash:
            return None
        return owner

    async def _within_limits(self, origin: Origin) -> None:
        settings, limits = self._base.settings, self._base.limits
        await limits.hit(settings.portal_sign_in_limit, "sign-in-address", origin.network)
        await limits.hit(settings.portal_sign_in_total_limit, "sign-in-total")

    async def _check(self, password: str, user: User | None) -> tuple[bool, str | None]:
        """Return whether it is right, and its new hash where the cost has changed; a stranger is the same work."""
        passwords = self._base.vault.passwords
        too_long = len(password) > MAX_LENGTH * 4
        right = await passwords.verify("" if too_long else password, user.password_hash if user else None)
        if user is not None and right and passwords.needs_rehash(user.password_hash):
            return right, await passwords.hash(password)
        return right, None
