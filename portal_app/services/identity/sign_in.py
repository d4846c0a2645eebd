"""Sign-in with a password. All failures have the same message and take the same time."""

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotSignedIn
from portal_app.domain.identity.account import MfaRequired, Origin, Tokens
from portal_app.infra.security.password_policy import MAX_LENGTH
from portal_app.models.user import EMAIL_PLACE, User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.account_closing import CLOSED
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.lockout import Lockout
from portal_app.services.identity.sign_in_completion import SignInCompletion

WRONG_SIGN_IN = "That e-mail address and password do not match. Check both, or reset your password."


class SignIn:
    """Checks passwords and opens sessions."""

    def __init__(self, context: ServiceContext, completion: SignInCompletion, lockout: Lockout) -> None:
        self._context = context
        self.completion = completion
        self._lockout = lockout

    async def with_password(
        self, email: str, password: str, origin: Origin, *, browser_key: str = ""
    ) -> Tokens | MfaRequired:
        """Check a password and open a session, or require a second factor.

        `browser_key` is the key that an unlock link stored in this browser. Raises NotSignedIn, with the same message
        and after the same time for every reason, and RateLimited, which also reveals nothing about the account.
        """
        index = self._context.secrets.ring.index(email, EMAIL_PLACE)
        await self._within_limits(origin)
        async with self._context.database.identity() as session:
            attempts = await self._lockout.count_attempt(session, index, browser_key)
            user = await User.by_email(session, index)
        right, rehashed = await self._check(password, user)
        async with self._context.database.identity() as session:
            owner = await self._locked_owner(session, user, for_change=bool(rehashed)) if user and right else None
            if owner is not None:
                await self._lockout.reset_count(session, index)
                owner.password_hash = rehashed or owner.password_hash
                return await self.completion.after_password(session, owner, origin)
            record(session, Tag.SIGN_IN_FAILED, user_id=user.id if user else None, actor="you")
            await self._lockout.notify_owner(session, index, user, attempts)
        raise NotSignedIn("wrong e-mail or password", user_message=WRONG_SIGN_IN)

    @staticmethod
    async def _locked_owner(session: AsyncSession, checked: User, *, for_change: bool) -> User | None:
        """Return the user, locked, or None if the account was closed or its password changed during the check."""
        owner = await User.locked(session, checked.id, for_change=for_change)
        if owner is None or owner.status == CLOSED or owner.password_hash != checked.password_hash:
            return None
        return owner

    async def _within_limits(self, origin: Origin) -> None:
        settings, limits = self._context.settings, self._context.limits
        await limits.consume(settings.portal_sign_in_limit, "sign-in-address", origin.network)
        await limits.consume(settings.portal_sign_in_total_limit, "sign-in-total")

    async def _check(self, password: str, user: User | None) -> tuple[bool, str | None]:
        """Return whether the password is right, and a new hash if the cost setting changed.

        Without a user the same work is done, so that the time does not differ.
        """
        passwords = self._context.secrets.passwords
        too_long = len(password) > MAX_LENGTH * 4
        right = await passwords.verify("" if too_long else password, user.password_hash if user else None)
        if user is not None and right and passwords.needs_rehash(user.password_hash):
            return right, await passwords.hash(password)
        return right, None
