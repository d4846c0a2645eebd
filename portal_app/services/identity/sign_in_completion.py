"""Completion of a sign-in after the password check: opens the session or requires a second factor."""

from dataclasses import replace
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.identity.account import MfaRequired, Origin, Tokens
from portal_app.domain.identity.mfa import browser_name, coarse_network
from portal_app.infra.clock import now
from portal_app.infra.security.known_devices import KnownDevices
from portal_app.models.mfa import PendingSignIn
from portal_app.models.session import Session
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.totp import Totp

PENDING = "second-step"


class SignInCompletion:
    """Opens sessions for users whose identity is proven, and mails the owner about new devices."""

    def __init__(self, context: ServiceContext, totp: Totp) -> None:
        self._context = context
        self._totp = totp
        self._known = KnownDevices(context.secrets.tokens)

    async def after_password(self, session: AsyncSession, user: User, origin: Origin) -> Tokens | MfaRequired:
        """Open a session for a verified password, or create a pending sign-in, in the caller's transaction."""
        if not await self._totp.is_on(session, user.id):
            return await self.admit(session, user, origin, factors=("pwd",))
        token, settings = self._context.secrets.tokens.new(), self._context.settings
        session.add(
            PendingSignIn(
                token_hash=self._context.secrets.tokens.hash(token, PENDING),
                user_id=user.id,
                attempts_left=settings.portal_code_attempts,
                expires_at=now() + timedelta(seconds=settings.portal_second_step_seconds),
            )
        )
        return MfaRequired(token)

    async def admit(self, session: AsyncSession, user: User, origin: Origin, *, factors: tuple[str, ...]) -> Tokens:
        """Open a session for a user who has given all required factors, in the caller's transaction."""
        device = self._context.secrets.tokens.hash(origin.device, "device") if origin.device else None
        limits = self._context.customer_limits
        browser, network = browser_name(origin.browser), coarse_network(origin.address)
        if await Session.is_new_device(session, user.id, device) and await limits.may_mail(user.id, "new-device"):
            await self._context.email_outbox.enqueue(
                session,
                "new_device",
                recipient=user.email,
                user_id=user.id,
                at=now().isoformat(),
                browser=browser or "?",
                place=network or "?",
            )
        detail = {"browser": browser, "network": network, "by": " ".join(factors)}
        record(session, Tag.SIGNED_IN, user_id=user.id, actor="you", detail=detail)
        tokens = await self._context.sessions.open(
            session, user.id, factors=factors, browser=browser, address=network, device_hash=device
        )
        return replace(tokens, known=self._known.remember(origin.known, user.email_index))
