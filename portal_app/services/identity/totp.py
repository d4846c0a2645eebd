"""Two-step sign-in with an authenticator app (TOTP, RFC 6238) and recovery codes."""

import re
import secrets
from uuid import UUID

import pyotp
import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, InvalidInput
from portal_app.domain.identity.mfa import Enrolment, TotpStatus
from portal_app.domain.identity.typed_code import plain_code
from portal_app.infra.clock import accepted_timestamps, now
from portal_app.models.mfa import Authenticator, RecoveryCode
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext

ISSUER = "Hikari Portal"
WRONG_CODE = "That code does not match. Enter the one your app shows now."
_NOT_BEGUN = "Start again: this set-up is not open any more."
_CODES = 10
_STEP_SECONDS = 30
# Without characters that look alike; ten characters of thirty are 49 bits.
_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
_DIGITS = re.compile(r"\d{6}", re.ASCII)


class Totp:
    """Turns two-step sign-in on and off and verifies codes. Changes require a recent proof and end other sessions."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    async def status(self, user_id: UUID) -> TotpStatus:
        """Return since when it is on, and how many recovery codes are left."""
        async with self._context.database.identity() as session:
            row = await session.get(Authenticator, user_id)
            left = await self.codes_left(session, user_id)
        return TotpStatus(row.confirmed_at if row else None, left)

    async def begin_enrolment(self, user_id: UUID, session_id: UUID) -> None:
        """Create a secret for an app; two-step sign-in stays off until `turn_on`. Raises StepUpNeeded, Conflict."""
        await self._context.sessions.require_recent(session_id)
        key = pyotp.random_base32()
        async with self._context.database.identity() as session:
            await session.get_one(User, user_id, with_for_update=True)
            row = await Authenticator.for_user(session, user_id)
            if row is not None and row.confirmed_at is not None:
                raise Conflict("already on", user_message="Two-step sign-in is already on.")
            if row is None:
                session.add(Authenticator(user_id=user_id, secret=key))
            else:
                row.secret = key

    async def pending_enrolment(self, user_id: UUID, session_id: UUID) -> Enrolment:
        """Return the secret that is not confirmed yet. Raises StepUpNeeded, and Conflict if there is none."""
        await self._context.sessions.require_recent(session_id)
        async with self._context.database.identity() as session:
            user = await session.get_one(User, user_id)
            row = await session.get(Authenticator, user_id)
        if row is None or row.confirmed_at is not None:
            raise Conflict("not begun", user_message=_NOT_BEGUN)
        address = pyotp.TOTP(row.secret).provisioning_uri(name=user.email, issuer_name=ISSUER)
        return Enrolment(row.secret, address)

    async def turn_on(self, user_id: UUID, session_id: UUID, code: str) -> list[str]:
        """Verify the app's first code, turn two-step sign-in on and return the recovery codes, which are shown once.

        Raises StepUpNeeded, RateLimited, Conflict, and InvalidInput (field code).
        """
        await self._context.sessions.require_recent(session_id)
        await self._context.limits.consume(self._context.settings.portal_factor_limit, "two-step-on", str(user_id))
        async with self._context.database.identity() as session:
            await User.locked(session, user_id, for_change=True)
            row = await Authenticator.for_user(session, user_id)
            if row is None or row.confirmed_at is not None:
                raise Conflict("not begun", user_message=_NOT_BEGUN)
            step = matching_step(row.secret, plain_code(code))
            if not step:
                raise InvalidInput({"code": WRONG_CODE})
            row.confirmed_at, row.last_step = now(), step
            codes = await self._new_codes(session, user_id)
            await self._changed(session, user_id, Tag.TWO_STEP_ON, "two_step_on")
            because = "two-step sign-in turned on"
            ended = await self._context.sessions.end_in_transaction(session, user_id, because=because, but=session_id)
        await self._context.sessions.publish_ended(ended)
        return codes

    async def turn_off(self, user_id: UUID, session_id: UUID) -> None:
        """Delete authenticator and recovery codes. Raises StepUpNeeded."""
        await self._context.sessions.require_recent(session_id)
        async with self._context.database.identity() as session:
            await User.locked(session, user_id, for_change=True)
            row = await Authenticator.for_user(session, user_id)
            if row is None or row.confirmed_at is None:
                return
            await session.delete(row)
            await self._delete_codes(session, user_id)
            await self._changed(session, user_id, Tag.TWO_STEP_OFF, "two_step_off")
            because = "two-step sign-in turned off"
            ended = await self._context.sessions.end_in_transaction(session, user_id, because=because, but=session_id)
        await self._context.sessions.publish_ended(ended)

    async def renew_codes(self, user_id: UUID, session_id: UUID) -> list[str]:
        """Replace the recovery codes and return the new ones, which are shown once.

        Raises StepUpNeeded, Conflict, RateLimited.
        """
        await self._context.sessions.require_recent(session_id)
        await self._context.customer_limits.count_change(user_id, "recovery-codes")
        async with self._context.database.identity() as session:
            row = await Authenticator.for_user(session, user_id)
            if row is None or row.confirmed_at is None:
                raise Conflict("not on", user_message="Turn two-step sign-in on first.")
            codes = await self._new_codes(session, user_id)
            await self._changed(session, user_id, Tag.CODES_RENEWED, "recovery_codes_renewed")
        return codes

    async def is_on(self, session: AsyncSession, user_id: UUID) -> bool:
        """Return whether two-step sign-in is on for a user."""
        row = await session.get(Authenticator, user_id)
        return row is not None and row.confirmed_at is not None

    async def verify_code(self, session: AsyncSession, user_id: UUID, code: str) -> str:
        """Use up a code in the caller's transaction; return "otp", "recovery", or an empty text for a wrong code."""
        plain = plain_code(code)
        row = await Authenticator.for_user(session, user_id)
        if row is None or row.confirmed_at is None:
            return ""
        if _DIGITS.fullmatch(plain):
            step = matching_step(row.secret, plain)
            if step <= row.last_step:
                return ""
            row.last_step = step
            return "otp"
        return await self._use_recovery_code(session, user_id, plain)

    async def codes_left(self, session: AsyncSession, user_id: UUID) -> int:
        """Count a user's unused recovery codes."""
        unused = sa.select(sa.func.count()).where(
            col(RecoveryCode.user_id) == user_id, col(RecoveryCode.used_at).is_(None)
        )
        return int(await (await session.connection()).scalar(unused) or 0)

    async def _use_recovery_code(self, session: AsyncSession, user_id: UUID, plain: str) -> str:
        use = (
            sa.update(RecoveryCode)
            .where(
                col(RecoveryCode.user_id) == user_id,
                col(RecoveryCode.code_hash) == self._hash(user_id, plain),
                col(RecoveryCode.used_at).is_(None),
            )
            .values(used_at=now())
        )
        if not (await (await session.connection()).execute(use)).rowcount:
            return ""
        record(session, Tag.RECOVERY_CODE_USED, user_id=user_id, actor="you")
        user = await session.get_one(User, user_id)
        left = str(await self.codes_left(session, user_id))
        await self._context.email_outbox.enqueue(
            session, "recovery_code_used", recipient=user.email, user_id=user_id, left=left
        )
        return "recovery"

    async def _new_codes(self, session: AsyncSession, user_id: UUID) -> list[str]:
        await self._delete_codes(session, user_id)
        codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(_CODES)]
        session.add_all(RecoveryCode(user_id=user_id, code_hash=self._hash(user_id, code)) for code in codes)
        return [f"{code[:5]}-{code[5:]}" for code in codes]

    async def _delete_codes(self, session: AsyncSession, user_id: UUID) -> None:
        connection = await session.connection()
        await connection.execute(sa.delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))

    async def _changed(self, session: AsyncSession, user_id: UUID, tag: Tag, template: str) -> None:
        record(session, tag, user_id=user_id, actor="you")
        user = await session.get_one(User, user_id)
        await self._context.email_outbox.enqueue(session, template, recipient=user.email, user_id=user_id)

    def _hash(self, user_id: UUID, plain: str) -> bytes:
        return self._context.secrets.tokens.hash(plain, f"recovery:{user_id}")


def matching_step(secret: str, digits: str) -> int:
    """Return the time step of a code, at most one step from now, or 0 for a wrong code."""
    totp = pyotp.TOTP(secret)
    steps = {int(time) // _STEP_SECONDS + offset for time in accepted_timestamps() for offset in (-1, 0, 1)}
    # Newest first: if two steps have the same code, the newer one is used up.
    for step in sorted(steps, reverse=True):
        if pyotp.utils.strings_equal(totp.generate_otp(step), digits):
            return step
    return 0
