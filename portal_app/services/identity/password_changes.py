"""Password reset by a mailed link, and password change by a signed-in user."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import InvalidInput, NotSignedIn
from portal_app.domain.identity.account import Origin
from portal_app.domain.profile.customer import parse_email
from portal_app.infra.clock import now
from portal_app.infra.security.password_policy import check_new_password
from portal_app.models.account_recovery import RecoveryToken
from portal_app.models.mfa import PendingSignIn
from portal_app.models.session import Session
from portal_app.models.user import EMAIL_PLACE, User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.lockout import LINK_ENDED, Lockout
from portal_app.services.identity.proof_attempts import ProofAttempts
from portal_app.services.identity.sessions import end_calendar_link
from portal_app.services.identity.sign_in_tries import has_room_in_audit
from portal_app.services.identity.totp import Totp

_WRONG = "This is not your present password."
_SAME = "Choose a password that is different from your present one."


class PasswordChanges:
    """Sets new passwords. A new password ends every other session and does not replace a second factor."""

    def __init__(self, context: ServiceContext, lockout: Lockout, totp: Totp, attempts: ProofAttempts) -> None:
        self._context = context
        self._attempts = attempts
        self._totp = totp
        self._lockout = lockout

    async def request_reset(self, email: str, origin: Origin) -> None:
        """Mail a reset link to the owner of an address; an unknown address gets a mail that says so.

        Raises InvalidInput, RateLimited.
        """
        email = parse_email(email)
        index = self._context.secrets.ring.index(email, EMAIL_PLACE)
        settings, tokens = self._context.settings, self._context.secrets.tokens
        await self._context.limits.consume(settings.portal_reset_limit, "reset-email", index.hex())
        await self._context.limits.consume(settings.portal_request_limit, "reset-address", origin.network)
        token, has_room = tokens.new(), await has_room_in_audit(self._context, "reset")
        async with self._context.database.identity() as session:
            user = await User.by_email(session, index)
            await RecoveryToken.void(session, "reset", index)
            session.add(
                RecoveryToken(
                    token_hash=tokens.hash(token, "reset"),
                    purpose="reset",
                    email_index=index,
                    user_id=user.id if user else None,
                    expires_at=now() + timedelta(seconds=settings.portal_reset_seconds),
                )
            )
            if user or has_room:
                record(session, Tag.RESET_ASKED, user_id=user.id if user else None, actor="you")
            # Sent to the stored address, never to the address as typed.
            await self._context.email_outbox.enqueue(
                session,
                "password_reset" if user else "password_reset_unknown",
                recipient=user.email if user else email,
                user_id=user.id if user else None,
                language="" if user else origin.language,
                token=token if user else "",
                email=user.email if user else "",
            )

    async def email_for_token(self, token: str) -> str:
        """Return the e-mail address of the account of a reset token, or an empty text for an invalid token."""
        if not token:
            return ""
        async with self._context.database.identity() as session:
            found = await RecoveryToken.usable(session, self._context.secrets.tokens.hash(token, "reset"), "reset")
            user = await session.get(User, found.user_id) if found and found.user_id else None
        return user.email if user else ""

    async def reset(self, token: str, password: str) -> None:
        """Set a new password by a reset token. Raises InvalidInput, and NotSignedIn for an invalid token."""
        hashed = self._context.secrets.tokens.hash(token, "reset")
        async with self._context.database.identity() as session:
            user = await self._owner(session, hashed)
        check_new_password(password, context=_context(user))
        new = await self._context.secrets.passwords.hash(password)
        async with self._context.database.identity() as session:
            # Read again and locked: of two concurrent uses only one may succeed.
            user = await self._owner(session, hashed)
            await User.locked(session, user.id, for_change=True)
            await self._void_links(session, user.id)
            await self._lockout.reset_count(session, user.email_index)
            ended = await self._set(session, user, new, because="password reset")
        await self._context.sessions.publish_ended(ended)

    async def require_recent_mfa(self, user_id: UUID, session_id: UUID) -> None:
        """Require a recent second factor if two-step sign-in is on, so that a stolen password cannot be replaced.

        Raises StepUpNeeded. Without two-step sign-in the present password, which `change` checks, is the proof.
        """
        async with self._context.database.identity() as session:
            is_on = await self._totp.is_on(session, user_id)
        if is_on:
            await self._context.sessions.require_recent(session_id)

    async def change(self, user_id: UUID, session_id: UUID, present: str, *, password: str) -> None:
        """Set a new password for a signed-in user who enters the present one. Wrong ones are recorded and counted.

        Raises StepUpNeeded (with two-step sign-in on), InvalidInput, RateLimited.
        """
        await self.require_recent_mfa(user_id, session_id)
        await self._context.limits.consume(
            self._context.settings.portal_password_limit, "password-change", str(user_id)
        )
        attempts = await self._attempts.count(user_id)
        async with self._context.database.identity() as session:
            user = await User.required(session, user_id)
        is_right = await self._context.secrets.passwords.verify(present, user.password_hash)
        async with self._context.database.identity() as session:
            if is_right:
                await self._attempts.reset(session, user_id)
            else:
                await self._attempts.record_failure(session, user_id, Tag.PASSWORD_REFUSED, attempts)
        if not is_right:
            # Raised after the transaction, so that the entry in the history is committed.
            raise InvalidInput({"present": _WRONG})
        check_new_password(password, context=_context(user))
        if await self._context.secrets.passwords.verify(password, user.password_hash):
            raise InvalidInput({"password": _SAME})
        await self._context.customer_limits.count_change(user_id, "password")
        new = await self._context.secrets.passwords.hash(password)
        async with self._context.database.identity() as session:
            row = await User.locked(session, user_id, for_change=True)
            if row is None or row.password_hash != user.password_hash:
                # Changed by a concurrent call: the entered password is no longer the present one.
                raise InvalidInput({"present": _WRONG})
            await self._void_links(session, user_id)
            ended = await self._set(session, row, new, because="password changed", but=session_id)
        await self._context.sessions.publish_ended(ended)

    async def _owner(self, session: AsyncSession, hashed: bytes) -> User:
        found = await RecoveryToken.usable(session, hashed, "reset")
        if found is None or found.user_id is None:
            raise NotSignedIn("reset link", user_message=LINK_ENDED)
        return await User.required(session, found.user_id)

    async def _set(
        self, session: AsyncSession, user: User, hashed: str, *, because: str, but: UUID | None = None
    ) -> list[Session]:
        user.password_hash = hashed
        # A pending sign-in with the old password must not be completed.
        pending = sa.delete(PendingSignIn).where(col(PendingSignIn.user_id) == user.id)
        await (await session.connection()).execute(pending)
        record(session, Tag.PASSWORD_CHANGED, user_id=user.id, actor="you")
        await end_calendar_link(session, user.id)
        await self._context.email_outbox.enqueue(session, "password_changed", recipient=user.email, user_id=user.id)
        return await self._context.sessions.end_in_transaction(session, user.id, because=because, but=but)

    @staticmethod
    async def _void_links(session: AsyncSession, user_id: UUID) -> None:
        links = sa.update(RecoveryToken).where(
            col(RecoveryToken.user_id) == user_id, col(RecoveryToken.purpose) == "reset"
        )
        await (await session.connection()).execute(links.values(uses_left=0))


def _context(user: User) -> tuple[str, ...]:
    return (user.email.partition("@")[0], *user.name.split())
