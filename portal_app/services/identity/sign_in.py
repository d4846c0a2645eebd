"""Sign-in with a password. All failures have the same message and take the same time."""

from contextlib import suppress

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotSignedIn, Overloaded, RateLimited
from portal_app.domain.identity.account import MfaRequired, Origin, Tokens
from portal_app.infra.security.password_policy import MAX_LENGTH
from portal_app.models.user import EMAIL_PLACE, User
from portal_app.services.identity.account_closing import CLOSED
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.lockout import Lockout
from portal_app.services.identity.sign_in_completion import SignInCompletion
from portal_app.services.identity.sign_in_tries import Signer, SignInTries, has_room_in_audit

WRONG_SIGN_IN = "That e-mail address and password do not match. Check both, or reset your password."


class SignIn:
    """Checks passwords and opens sessions."""

    def __init__(
        self, context: ServiceContext, completion: SignInCompletion, lockout: Lockout, tries: SignInTries
    ) -> None:
        self._context = context
        self.completion = completion
        self._lockout = lockout
        self._tries = tries

    async def with_password(
        self, email: str, password: str, origin: Origin, *, browser_key: str = ""
    ) -> Tokens | MfaRequired:
        """Check a password and open a session, or require a second factor.

        `browser_key` is the key that an unlock link stored in this browser. Raises NotSignedIn, with the same message
        and after the same time for every reason, and RateLimited and Overloaded, which also reveal nothing about the
        account.
        """
        index = self._context.secrets.ring.index(email, EMAIL_PLACE)
        signer = self._tries.signer(index, origin, browser_key)
        self._context.secrets.passwords.require_room(is_known=signer.is_known)
        async with self._tries.undecided(origin, is_known=signer.is_known) as made:
            outcome = await self._check_and_open(signer, password, origin)
            made.counts = outcome is None
        if outcome is None:
            raise NotSignedIn("wrong e-mail or password", user_message=WRONG_SIGN_IN)
        return outcome

    async def _check_and_open(self, signer: Signer, password: str, origin: Origin) -> Tokens | MfaRequired | None:
        """Return what a right password leads to, None for a wrong one, whatever the reason."""
        async with self._context.database.identity() as session:
            attempts = await self._lockout.count_attempt(session, signer)
            user = await User.by_email(session, signer.index)
        try:
            await self._tries.count_for_account(signer)
            right, rehashed = await self._check(password, user, is_known=signer.is_known)
        except (RateLimited, Overloaded):
            await self._lockout.uncount_attempt(signer)
            raise
        if user is not None and right:
            async with self._context.database.identity() as session:
                owner = await self._locked_owner(session, user, for_change=bool(rehashed))
                if owner is not None:
                    await self._lockout.reset_count(session, signer.tries_key)
                    owner.password_hash = rehashed or owner.password_hash
                    return await self.completion.after_password(session, owner, origin)
        has_room = await has_room_in_audit(self._context)
        async with self._context.database.identity() as session:
            await self._tries.record_failure(session, signer, user.id if user else None, has_room=has_room)
            await self._lockout.notify_owner(session, signer.index, user, attempts)
        return None

    @staticmethod
    async def _locked_owner(session: AsyncSession, checked: User, *, for_change: bool) -> User | None:
        """Return the user, locked, or None if the account was closed or its password changed during the check."""
        owner = await User.locked(session, checked.id, for_change=for_change)
        if owner is None or owner.status == CLOSED or owner.password_hash != checked.password_hash:
            return None
        return owner

    async def _check(self, password: str, user: User | None, *, is_known: bool) -> tuple[bool, str | None]:
        """Return whether the password is right, and a new hash if the cost setting changed.

        Without a user the same work is done, so that the time does not differ. Raises Overloaded.
        """
        passwords = self._context.secrets.passwords
        hashed = user.password_hash if user else None
        too_long = len(password) > MAX_LENGTH * 4
        right = await passwords.verify("" if too_long else password, hashed, is_known=is_known)
        if user is not None and right and passwords.needs_rehash(user.password_hash):
            # A busy moment is no reason to refuse a right password: the next sign-in makes the new hash.
            with suppress(Overloaded):
                return right, await passwords.hash(password)
        return right, None
