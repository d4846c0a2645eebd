"""A new e-mail address: asked for with a fresh proof, proven by a code mailed there, then changed like the rest."""

import unicodedata
from datetime import timedelta
from uuid import UUID

from portal_app.domain.errors import InvalidInput, NotFound
from portal_app.domain.profile.customer import Customer, parse_email
from portal_app.domain.profile.profile import ProfileChange
from portal_app.infra.clock import now
from portal_app.models.profile import EmailChange
from portal_app.models.user import EMAIL_PLACE, User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.profile.profiles import Profiles


class EmailChanges:
    """Prove a new mailbox and put it in the place of the old one."""

    def __init__(self, base: ServiceContext, profiles: Profiles) -> None:
        self._base = base
        self._profiles = profiles

    async def begin(self, customer: Customer, email: str, *, session_id: UUID) -> None:
        """Mail a code to a new address. One that has an account gets a mail that says so, with the same answer here.

        Raises StepUpNeeded, InvalidInput, RateLimited.
        """
        email = parse_email(email)
        await self._base.sessions.require_recent(session_id)
        await self._base.limits.hit(self._base.settings.portal_sign_up_limit, "email-change", str(customer.user_id))
        index, code = self._base.vault.ring.index(email, EMAIL_PLACE), self._base.vault.tokens.new_code()
        async with self._base.database.identity() as session:
            known = await User.by_email(session, index)
            if known is not None and known.id == customer.user_id:
                raise InvalidInput({"email": "This is your address already."})
            # A known address gets a code hash nobody can meet; everything else is the same work.
            secret = self._base.vault.tokens.new() if known else code
            if (earlier := await EmailChange.locked(session, customer.user_id)) is not None:
                await session.delete(earlier)
                await session.flush()
            session.add(
                EmailChange(
                    user_id=customer.user_id,
                    email=email,
                    code_hash=self._hash(secret, customer.user_id),
                    attempts_left=self._base.settings.portal_code_attempts,
                    expires_at=now() + timedelta(seconds=self._base.settings.portal_code_seconds),
                )
            )
            record(session, Tag.EMAIL_CHANGE_ASKED, user_id=customer.user_id, actor="you")
            occasion = "already_registered" if known else "email_change_code"
            content = {} if known else {"code": code}
            await self._base.notifications.mail(session, occasion, recipient=email, user_id=customer.user_id, **content)

    async def waiting_for(self, customer: Customer) -> str:
        """Return the address whose code is waited for, or an empty text."""
        async with self._base.database.identity() as session:
            change = await session.get(EmailChange, customer.user_id)
        return change.email if change is not None and change.expires_at > now() else ""

    async def prove(self, customer: Customer, code: str) -> None:
        """Check the code and let the change happen. Raises InvalidInput (tries left), NotFound for an ended change."""
        email, wrong = "", None
        async with self._base.database.identity() as session:
            change = await EmailChange.locked(session, customer.user_id)
            if change is None or change.expires_at < now():
                raise NotFound("no change under way", user_message="This code has run out. Ask for a new one.")
            digits = "".join(unicodedata.normalize("NFKC", code).split())
            if change.attempts_left <= 0:
                wrong = InvalidInput({"code": "No tries are left. Ask for a new code."})
            elif not self._base.vault.tokens.same(self._hash(digits, customer.user_id), change.code_hash):
                change.attempts_left -= 1
                wrong = InvalidInput({"code": f"That is not the code. Tries left: {change.attempts_left}."})
            else:
                email = change.email
                await session.delete(change)
        if wrong is not None:
            # Raised only here: the used-up try must be kept.
            raise wrong
        await self._profiles.carry_out(customer, ProfileChange(email=email))

    async def give_up(self, customer: Customer) -> None:
        """Forget a change that is not wanted any more."""
        async with self._base.database.identity() as session:
            if (change := await EmailChange.locked(session, customer.user_id)) is not None:
                await session.delete(change)

    def _hash(self, secret: str, user_id: UUID) -> bytes:
        return self._base.vault.tokens.hash(secret, f"email-change:{user_id}")
