"""The MFA challenge of a sign-in: a code or passkey after the password, and sign-in with a passkey alone."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import InvalidInput, NotSignedIn, PortalError
from portal_app.domain.identity.account import Origin, Proof, ProofMethods, Tokens
from portal_app.infra.clock import now
from portal_app.models.mfa import Passkey, PendingSignIn
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.account_closing import CLOSED
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.passkeys import REFUSED, Passkeys
from portal_app.services.identity.sign_in_completion import PENDING, SignInCompletion
from portal_app.services.identity.sign_in_tries import has_room_in_audit
from portal_app.services.identity.totp import Totp

_ENDED = "This sign-in has run out. Start again with your password."


class MfaChallenge:
    """Completes sign-ins that `SignInCompletion` left pending. A passkey alone also counts as two factors."""

    def __init__(self, context: ServiceContext, completion: SignInCompletion, totp: Totp, passkeys: Passkeys) -> None:
        self._context = context
        self._completion = completion
        self._totp = totp
        self._passkeys = passkeys

    async def proof_methods(self, token: str) -> ProofMethods:
        """Return the proofs that can complete a pending sign-in. Raises NotSignedIn if it has ended."""
        async with self._context.database.identity() as session:
            pending = await self._pending(session, token)
            has_passkey = bool(await Passkey.all_of(session, pending.user_id))
        return ProofMethods(password=False, code=True, passkey=has_passkey)

    async def passkey_options(self, token: str) -> dict[str, object]:
        """Return the options of navigator.credentials.get for a pending sign-in. Raises NotSignedIn if it has ended."""
        return await self._passkeys.authentication_options("second-step", await self._user_id(token))

    async def complete(self, token: str, proof: Proof, origin: Origin) -> Tokens:
        """Check the second factor and open the session.

        Raises InvalidInput (field code or passkey, attempts left), RateLimited, and NotSignedIn if the sign-in ended.
        """
        user_id = await self._user_id(token)
        await self._context.limits.consume(self._context.settings.portal_factor_limit, "second-step", str(user_id))
        failure: PortalError
        async with self._context.database.identity() as session:
            user = await User.locked(session, user_id)
            pending = await self._pending(session, token)
            if user is None or user.status == CLOSED:
                raise NotSignedIn("account closed", user_message=_ENDED)
            factor = await self._factor(session, user_id, proof)
            if factor:
                await session.delete(pending)
                return await self._completion.admit(session, user, origin, factors=("pwd", factor))
            failure = await self._record_failure(session, pending, user, by_passkey=bool(proof.passkey))
        # Raised after the transaction, so that the used attempt is committed.
        raise failure

    async def sign_in_options(self, origin: Origin) -> dict[str, object]:
        """Return the options of navigator.credentials.get for sign-in with any passkey. Raises RateLimited."""
        await self._context.limits.consume(
            self._context.settings.portal_request_limit, "passkey-options", origin.network
        )
        return await self._passkeys.authentication_options("sign-in")

    async def sign_in_with_passkey(self, credential: str, origin: Origin) -> Tokens:
        """Open a session for a passkey alone; its device verifies the owner. Raises NotSignedIn, RateLimited."""
        settings = self._context.settings
        limit, wait = settings.portal_request_limit, settings.portal_hash_seconds
        # Apart from passwords: a passkey cannot be guessed, and is what we advise where an address is used up.
        async with self._context.limits.undecided(limit, "passkey-address", origin.network, wait=wait) as made:
            tokens = await self._open_by_passkey(credential, origin)
            made.counts = tokens is None
        if tokens is None:
            raise NotSignedIn("passkey refused", user_message=REFUSED)
        return tokens

    async def _open_by_passkey(self, credential: str, origin: Origin) -> Tokens | None:
        """Return the tokens of a new session, None for a passkey that is refused."""
        async with self._context.database.identity() as session:
            user_id = await self._passkeys.verify(session, credential, "sign-in")
            user = await User.locked(session, user_id) if user_id else None
            if user is not None and user.status != CLOSED:
                return await self._completion.admit(session, user, origin, factors=("passkey",))
            if user_id is not None or await has_room_in_audit(self._context):
                record(session, Tag.SIGN_IN_FAILED, user_id=user_id, actor="you")
        return None

    async def _user_id(self, token: str) -> UUID:
        async with self._context.database.identity() as session:
            return (await self._pending(session, token)).user_id

    async def _pending(self, session: AsyncSession, token: str) -> PendingSignIn:
        found = await PendingSignIn.by_token(session, self._context.secrets.tokens.hash(token, PENDING))
        if found is None or found.expires_at < now() or found.attempts_left <= 0:
            raise NotSignedIn("second step ended", user_message=_ENDED)
        return found

    async def _factor(self, session: AsyncSession, user_id: UUID, proof: Proof) -> str:
        if proof.passkey:
            proven = await self._passkeys.verify(session, proof.passkey, "second-step", user_id=user_id)
            return "passkey" if proven else ""
        return await self._totp.verify_code(session, user_id, proof.code)

    async def _record_failure(
        self, session: AsyncSession, pending: PendingSignIn, user: User, *, by_passkey: bool
    ) -> PortalError:
        pending.attempts_left -= 1
        record(session, Tag.SECOND_STEP_FAILED, user_id=user.id, actor="you")
        if pending.attempts_left <= 0:
            await self._context.email_outbox.enqueue(
                session, "second_step_failed", recipient=user.email, user_id=user.id
            )
            return NotSignedIn("no tries left", user_message=_ENDED)
        if by_passkey:
            return InvalidInput({"passkey": REFUSED})
        return InvalidInput({"code": "That code does not match, or was used before."})
