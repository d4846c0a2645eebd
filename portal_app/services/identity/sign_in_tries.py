"""The tries of a sign-in: of its account first, then of a known device, then of an address and of everybody.

A right sign-in gives its try back, so that many customers behind one address do not use up each other's tries.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Overloaded, RateLimited
from portal_app.domain.identity.account import Origin
from portal_app.infra.redis.rate_limit import Try
from portal_app.infra.security.known_devices import KnownDevices
from portal_app.models.lockout import TOUCH_ATTEMPTS
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext

# What strangers do that leaves a row without an account in the audit.
StrangersAct = Literal["sign-in", "reset", "migration"]
_MANY_HERE = (
    "Too many wrong tries came from your network. Try again in {wait}, or use a passkey or a browser in which you have "
    "signed in before."
)
_MANY = (
    "Too many wrong sign-ins at the moment. Try again in {wait}, or use a passkey or a browser in which you have "
    "signed in before."
)
_OFTEN = "You have signed in very often in a short time. Try again in {wait}."


@dataclass(frozen=True, slots=True)
class Signer:
    """Who wants to sign in: the account's look-up hash, and what its tries are counted under."""

    index: bytes
    tries_key: bytes
    browser_key: str

    @property
    def is_known(self) -> bool:
        """Whether the browser has signed in to this account before."""
        return self.tries_key != self.index


class SignInTries:
    """Counts the tries of strangers, and writes failures down within bounds."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._known = KnownDevices(context.secrets.tokens)

    def signer(self, index: bytes, origin: Origin, browser_key: str) -> Signer:
        """Return who wants to sign in. A mark that is forged, expired or another account's makes no known device."""
        return Signer(index, self._known.tries_key(origin.known, index) or index, browser_key)

    @asynccontextmanager
    async def undecided(self, origin: Origin, *, is_known: bool) -> AsyncIterator[Try]:
        """Count a stranger's try for the address and for everybody; the caller says at its end whether it counts.

        Nothing was guessed by a try that ends in RateLimited or Overloaded, so it does not count. Raises RateLimited.
        """
        if is_known:
            yield Try()
            return
        settings, limits = self._context.settings, self._context.limits
        here, total = settings.portal_sign_in_limit, settings.portal_sign_in_total_limit
        wait = settings.portal_hash_seconds
        async with limits.undecided(here, "sign-in-address", origin.network, wait=wait, words=_MANY_HERE) as one:
            one.counts = False
            async with limits.undecided(total, "sign-in-total", wait=wait, words=_MANY) as other:
                made = Try()
                try:
                    yield made
                except (RateLimited, Overloaded):
                    made.counts = False
                    raise
                finally:
                    one.counts = other.counts = made.counts

    async def count_for_account(self, signer: Signer) -> None:
        """Count a try of an account that is not locked, right or wrong. Raises RateLimited.

        The lock stops wrong tries earlier: this one is for an owner who signs in again and again.
        """
        kind = "known" if signer.is_known else "browser" if signer.browser_key else "stranger"
        limit = self._context.settings.portal_account_sign_in_limit
        await self._context.limits.consume(limit, "sign-in-account", kind, signer.index.hex(), words=_OFTEN)

    @staticmethod
    async def record_failure(session: AsyncSession, signer: Signer, user_id: UUID | None, *, has_room: bool) -> None:
        """Write a failure down: always one of an account, which its lock bounds; of others as many as there is room."""
        if user_id is not None or has_room:
            record(session, Tag.SIGN_IN_FAILED, user_id=user_id, actor="you")
            return
        # One write either way, so that the time does not tell whether there is an account.
        await (await session.connection()).execute(TOUCH_ATTEMPTS, {"email_index": signer.tries_key})


async def has_room_in_audit(context: ServiceContext, what: StrangersAct = "sign-in") -> bool:
    """Count an act, and return whether one without an account may still be written down."""
    return await context.limits.has_room(context.settings.portal_stranger_audit_limit, f"{what}-audit")
