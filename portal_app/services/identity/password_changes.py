"""Changing a password: forgotten, by a mailed link, or known, by typing it."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import InvalidInput, NotSignedIn
from portal_app.domain.identity.account import Origin
from portal_app.domain.profile.customer import parse_email
from portal_app.infra.security.password_policy import check_new_password
from portal_app.models.account_recovery import RecoveryToken
from portal_app.models.columns import now
from portal_app.models.mfa import PendingSignIn
from portal_app.models.session import Session
from portal_app.models.user import EMAIL_PLACE, User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.lockout import LINK_ENDED, Lockout
from portal_app.services.identity.totp import Totp

_WRONG = "This is not your present password."
_SAME = "Choose a password that is different from your present one."


class PasswordChanges:
    """Set new passwords. A new password ends every other session; it never replaces a second factor."""

    def __init__(self, base: ServiceContext, lockout: Lockout, two_step: Totp) -> None:
        self._base = base
        self._two_step = two_step
        self._lockout = lockout

    async def forgot(self, email: str, origin: Origin) -> None:
        """Mail a link for a new password to the owner of an address; an unknown address gets a mail that says so.

        Raises InvalidInput, RateLimited.
        """
        email = parse_email(email)
        index = self._base.vault.ring.index(email, EMAIL_PLACE)
        settings, tokens = self._base.settings, self._base.vault.tokens
        await self._base.limits.hit(settings.portal_sign_in_limit, "reset-address", origin.network)
        await self._base.limits.hit(settings.portal_reset_limit, "reset-email", index.hex())
        token = tokens.new()
        async with self._base.database.identity() as session:
            user = await User.by_email(session, index)
            session.add(
                RecoveryToken(
                    token_hash=tokens.hash(token, "reset"),
                    purpose="reset",
                    email_index=index,
                    user_id=user.id if user else None,
                    expires_at=now() + timedelta(seconds=settings.portal_reset_seconds),
                )
            )
            record(session, Tag.RESET_ASKED, user_id=user.id if user else None, actor="you")
            # Always to the address as the account has it, never as it was typed just now.
            await self._base.notifications.mail(
                session,
                "password_reset" if user else "password_reset_unknown",
                recipient=user.email if user else email,
                user_id=user.id if user else None,
                language="" if user else origin.language,
                token=token if user else "",
                email=user.email if user else "",
            )

    async def whose(self, token: str) -> str:
        """Return the address of the account that a mailed token opens, or an empty text for a dead one."""
        if not token:
            return ""
        async with self._base.database.identity() as session:
            found = await RecoveryToken.usable(session, self._base.vault.tokens.hash(token, "reset"), "reset")
            user = await session.get(User, found.user_id) if found and found.user_id else None
        return user.email if user else ""

    async def reset(self, token: str, password: str) -> None:
        """Set a new password by a mailed token. Raises InvalidInput and, for a dead token, NotSignedIn."""
        hashed = self._base.vault.tokens.hash(token, "reset")
        async with self._base.database.identity() as session:
            user = await self._owner(session, hashed)
        check_new_password(password, context=_context(user))
        new = await self._base.vault.passwords.hash(password)
        async with self._base.database.identity() as session:
            # Looked up again, locked: of two uses at once only one may count.
            user = await self._owner(session, hashed)
            await User.held(session, user.id, for_change=True)
            await self._void_links(session, user.id)
            await self._lockout.forget(session, user.email_index)
            ended = await self._set(session, user, new, because="password reset")
        await self._base.sessions.tell_ended(ended)

    async def require_proof(self, user_id: UUID, session_id: UUID) -> None:
        """Ask for a recent second factor where two-step sign-in is on: a stolen password must not replace itself.

        Raises StepUpNeeded. Without it, the present password that `change` takes is the proof.
        """
        async with self._base.database.identity() as session:
            is_on = await self._two_step.is_on(session, user_id)
        if is_on:
            await self._base.sessions.require_recent(session_id)

    async def change(self, user_id: UUID, session_id: UUID, present: str, *, password: str) -> None:
        """Set a new password for somebody signed in, who types the present one.

        Raises StepUpNeeded (with two-step sign-in on), InvalidInput, RateLimited.
        """
        await self.require_proof(user_id, session_id)
        await self._base.limits.hit(self._base.settings.portal_password_limit, "password-change", str(user_id))
        async with self._base.database.identity() as session:
            user = await User.required(session, user_id)
        if not await self._base.vault.passwords.verify(present, user.password_hash):
            raise InvalidInput({"present": _WRONG})
        check_new_password(password, context=_context(user))
        if await self._base.vault.passwords.verify(password, user.password_hash):
            raise InvalidInput({"password": _SAME})
        new = await self._base.vault.passwords.hash(password)
        async with self._base.database.identity() as session:
            row = await User.held(session, user_id, for_change=True)
            if row is None or row.password_hash != user.password_hash:
                # Somebody was faster: what was typed is not the present password any more.
                raise InvalidInput({"present": _WRONG})
            await self._void_links(session, user_id)
            ended = await self._set(session, row, new, because="password changed", but=session_id)
        await self._base.sessions.tell_ended(ended)

    async def _owner(self, session: AsyncSession, hashed: bytes) -> User:
        found = await RecoveryToken.usable(session, hashed, "reset")
        if found is None or found.user_id is None:
            raise NotSignedIn("reset link", user_message=LINK_ENDED)
        return await User.required(session, found.user_id)

    async def _set(
        self, session: AsyncSession, user: User, hashed: str, *, because: str, but: UUID | None = None
    ) -> list[Session]:
        user.password_hash = hashed
        # A sign-in that was begun with the old password must not be finished.
        begun = sa.delete(PendingSignIn).where(col(PendingSignIn.user_id) == user.id)
        await (await session.connection()).execute(begun)
        record(session, Tag.PASSWORD_CHANGED, user_id=user.id, actor="you")
        await self._base.notifications.mail(session, "password_changed", recipient=user.email, user_id=user.id)
        return await self._base.sessions.end_within(session, user.id, because=because, but=but)

    @staticmethod
    async def _void_links(session: AsyncSession, user_id: UUID) -> None:
        links = sa.update(RecoveryToken).where(
            col(RecoveryToken.user_id) == user_id, col(RecoveryToken.purpose) == "reset"
        )
        await (await session.connection()).execute(links.values(uses_left=0))


def _context(user: User) -> tuple[str, ...]:
    return (user.email.partition("@")[0], *user.name.split())
