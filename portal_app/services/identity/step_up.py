"""Step-up authentication: a new proof of identity within an open session."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import InvalidInput
from portal_app.domain.identity.account import Proof, ProofMethods, Tokens
from portal_app.models.mfa import Passkey
from portal_app.models.user import User
from portal_app.services.audit import Tag
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.passkeys import REFUSED, Passkeys
from portal_app.services.identity.proof_attempts import ProofAttempts
from portal_app.services.identity.totp import WRONG_CODE, Totp


class StepUp:
    """Checks a proof and records it in the session; `Sessions.require_recent` relies on that record.

    With two-step sign-in on, the password alone is not accepted: a thief of the password may have the session too.
    """

    def __init__(self, context: ServiceContext, totp: Totp, passkeys: Passkeys, attempts: ProofAttempts) -> None:
        self._context = context
        self._attempts = attempts
        self._totp = totp
        self._passkeys = passkeys

    async def proof_methods(self, user_id: UUID) -> ProofMethods:
        """Return the proofs that this user can give."""
        async with self._context.database.identity() as session:
            has_code = await self._totp.is_on(session, user_id)
            has_passkey = bool(await Passkey.all_of(session, user_id))
        return ProofMethods(password=not has_code, code=has_code, passkey=has_passkey)

    async def passkey_options(self, user_id: UUID) -> dict[str, object]:
        """Return the options of navigator.credentials.get for a step-up."""
        return await self._passkeys.authentication_options("step-up", user_id)

    async def confirm(self, user_id: UUID, session_id: UUID, proof: Proof, *, refresh_token: str) -> Tokens:
        """Check a proof, record it and return the session's new tokens.

        Raises InvalidInput for a wrong proof, RateLimited, NotSignedIn.
        """
        await self._context.limits.consume(self._context.settings.portal_factor_limit, "step-up", str(user_id))
        # A passkey cannot be guessed, and is the way to go on for an owner whose session somebody else has locked.
        attempts = 0 if proof.passkey else await self._attempts.count(user_id)
        factor = await self._password(user_id, proof) if proof.password else ""
        async with self._context.database.identity() as session:
            factor = factor or await self._second_factor(session, user_id, proof)
            if factor:
                await self._attempts.reset(session, user_id)
            else:
                await self._attempts.record_failure(session, user_id, Tag.CONFIRM_FAILED, attempts)
        if not factor:
            raise InvalidInput(_wrong(proof))
        return await self._context.sessions.record_proof(session_id, refresh_token, factor=factor)

    async def _password(self, user_id: UUID, proof: Proof) -> str:
        async with self._context.database.identity() as session:
            user = await User.required(session, user_id)
            is_enough = not await self._totp.is_on(session, user_id)
        matches = await self._context.secrets.passwords.verify(proof.password, user.password_hash)
        return "pwd" if matches and is_enough else ""

    async def _second_factor(self, session: AsyncSession, user_id: UUID, proof: Proof) -> str:
        if proof.passkey:
            proven = await self._passkeys.verify(session, proof.passkey, "step-up", user_id=user_id)
            return "passkey" if proven else ""
        return await self._totp.verify_code(session, user_id, proof.code) if proof.code else ""


def _wrong(proof: Proof) -> dict[str, str]:
    if proof.passkey:
        return {"passkey": REFUSED}
    return {"code": WRONG_CODE} if proof.code else {"password": "That is not your password."}
