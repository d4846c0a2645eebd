"""Step-up: proving anew, in an open session, that it is still its owner who sits there."""

from uuid import UUID

from portal_app.domain.account import Proof, Tokens, Ways
from portal_app.domain.errors import InvalidInput, NotSignedIn
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.identity import IdentityBase


class StepUp:
    """Check a proof and stamp the session. What needs a stamp asks `Sessions.require_recent`."""

    def __init__(self, base: IdentityBase) -> None:
        self._base = base

    async def ways(self, user_id: UUID) -> Ways:
        """Return by which proofs this user can confirm."""
        return Ways()

    async def confirm(self, user_id: UUID, session_id: UUID, proof: Proof, *, refresh_token: str) -> Tokens:
        """Check a proof, stamp the session and return its new tokens.

        Raises InvalidInput for a wrong proof, RateLimited, NotSignedIn.
        """
        await self._base.limits.hit(self._base.settings.portal_factor_limit, "step-up", str(user_id))
        factor = await self._factor(user_id, proof)
        if not factor:
            async with self._base.database.identity() as session:
                record(session, Tag.CONFIRM_FAILED, user_id=user_id, actor="you")
            raise InvalidInput({"password": "That is not your password."})
        return await self._base.sessions.confirm(session_id, refresh_token, factor=factor)

    async def _factor(self, user_id: UUID, proof: Proof) -> str:
        """Return the name (amr) of the factor that was proven, or an empty text."""
        async with self._base.database.identity() as session:
            user = await session.get(User, user_id)
        if user is None:
            raise NotSignedIn("no such user")
        return "pwd" if await self._base.vault.passwords.verify(proof.password, user.password_hash) else ""
