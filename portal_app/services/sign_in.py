"""Signing in with a password: one answer, in the same words and time, for whatever is wrong."""

from portal_app.domain.account import Origin, Tokens
from portal_app.domain.errors import NotSignedIn
from portal_app.infra.passwords import MAX_LENGTH
from portal_app.models.user import EMAIL_PLACE, User
from portal_app.services.admission import Admission
from portal_app.services.audit import Tag, record
from portal_app.services.identity import IdentityBase

WRONG_SIGN_IN = "That e-mail address and password do not match. Check both, or reset your password."


class SignIn:
    """Check passwords and let their owners in."""

    def __init__(self, base: IdentityBase, admission: Admission) -> None:
        self._base = base
        self._admission = admission

    async def with_password(self, email: str, password: str, origin: Origin) -> Tokens:
        """Check a password and admit its owner. Raises NotSignedIn in the same words and time for every reason."""
        vault, settings, limits = self._base.vault, self._base.settings, self._base.limits
        index = vault.ring.index(email, EMAIL_PLACE)
        await limits.hit(settings.portal_sign_in_limit, "sign-in-address", origin.address)
        await limits.hit(settings.portal_account_limit, "sign-in-account", index.hex())
        async with self._base.database.identity() as session:
            user = await User.by_email(session, index)
        too_long = len(password) > MAX_LENGTH * 4
        right = await vault.passwords.verify("" if too_long else password, user.password_hash if user else None)
        rehash = user is not None and right and vault.passwords.needs_rehash(user.password_hash)
        rehashed = await vault.passwords.hash(password) if rehash else None
        async with self._base.database.identity() as session:
            if user is None or not right or user.status == "closed":
                record(session, Tag.SIGN_IN_FAILED, user_id=user.id if user else None, actor="you")
                tokens = None
            else:
                if rehashed and (row := await session.get(User, user.id)):
                    row.password_hash = rehashed
                tokens = await self._admission.after_password(session, user, origin)
        if tokens is None:
            raise NotSignedIn("wrong e-mail or password", user_message=WRONG_SIGN_IN)
        return tokens
