"""Admission: what follows when somebody has proven a password. The one place that decides it."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.identity.account import Origin, SecondStepAsked, Tokens
from portal_app.domain.identity.mfa import browser_words, coarse_network
from portal_app.infra.clock import now
from portal_app.models.mfa import PendingSignIn
from portal_app.models.session import Session
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.totp import Totp

PENDING = "second-step"


class SignInCompletion:
    """Let somebody in who has proven who they are, and tell the owner about devices not seen before."""

    def __init__(self, base: ServiceContext, two_step: Totp) -> None:
        self._base = base
        self._two_step = two_step

    async def after_password(self, session: AsyncSession, user: User, origin: Origin) -> Tokens | SecondStepAsked:
        """Open a session for a proven password, or ask for the second step; inside the caller's transaction."""
        if not await self._two_step.is_on(session, user.id):
            return await self.admit(session, user, origin, factors=("pwd",))
        token, settings = self._base.vault.tokens.new(), self._base.settings
        session.add(
            PendingSignIn(
                token_hash=self._base.vault.tokens.hash(token, PENDING),
                user_id=user.id,
                attempts_left=settings.portal_code_attempts,
                expires_at=now() + timedelta(seconds=settings.portal_second_step_seconds),
            )
        )
        return SecondStepAsked(token)

    async def admit(self, session: AsyncSession, user: User, origin: Origin, *, factors: tuple[str, ...]) -> Tokens:
        """Open a session for whoever has proven everything that is asked for."""
        device = self._base.vault.tokens.hash(origin.device, "device") if origin.device else None
        browser, network = browser_words(origin.browser), coarse_network(origin.address)
        if await Session.is_new_device(session, user.id, device):
            await self._base.notifications.mail(
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
        return await self._base.sessions.open(
            session, user.id, factors=factors, browser=browser, address=network, device_hash=device
        )
