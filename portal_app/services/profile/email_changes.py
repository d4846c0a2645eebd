"""Change of the e-mail address: needs a recent proof of identity and a code mailed to the new address."""

from datetime import timedelta
from uuid import UUID

from portal_app.domain.errors import InvalidInput, NotFound
from portal_app.domain.identity.typed_code import plain_code
from portal_app.domain.profile.customer import Customer, parse_email
from portal_app.domain.profile.profile import ProfileChange
from portal_app.infra.clock import now
from portal_app.language.phrase import Phrase
from portal_app.models.profile import EmailChange
from portal_app.models.user import EMAIL_PLACE, User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.profile.profiles import Profiles

_WRONG_CODE = "That is not the code. Tries left: {count}."


class EmailChanges:
    """Verifies a new mailbox and replaces the old one."""

    def __init__(self, context: ServiceContext, profiles: Profiles) -> None:
        self._context = context
        self._profiles = profiles

    async def begin(self, customer: Customer, email: str, *, session_id: UUID) -> None:
        """Mail a code to a new address.

        For an address with an account the answer is the same, but the mail says so and has no code.

        Raises StepUpNeeded, InvalidInput, RateLimited.
        """
        email = parse_email(email)
        await self._context.sessions.require_recent(session_id)
        await self._context.limits.consume(
            self._context.settings.portal_sign_up_limit, "email-change", str(customer.user_id)
        )
        index, code = self._context.secrets.ring.index(email, EMAIL_PLACE), self._context.secrets.tokens.new_code()
        async with self._context.database.identity() as session:
            known = await User.by_email(session, index)
            if known is not None and known.id == customer.user_id:
                raise InvalidInput({"email": "This is your address already."})
            # For a known address no code can match the hash; all other work is the same.
            secret = self._context.secrets.tokens.new() if known else code
            if (earlier := await EmailChange.locked(session, customer.user_id)) is not None:
                await session.delete(earlier)
                await session.flush()
            session.add(
                EmailChange(
                    user_id=customer.user_id,
                    email=email,
                    code_hash=self._hash(secret, customer.user_id),
                    attempts_left=self._context.settings.portal_code_attempts,
                    expires_at=now() + timedelta(seconds=self._context.settings.portal_code_seconds),
                )
            )
            record(session, Tag.EMAIL_CHANGE_ASKED, user_id=customer.user_id, actor="you")
            template = "already_registered" if known else "email_change_code"
            content = {} if known else {"code": code}
            await self._context.email_outbox.enqueue(
                session, template, recipient=email, user_id=customer.user_id, **content
            )

    async def pending_email(self, customer: Customer) -> str:
        """Return the new address that is not verified yet, or an empty text."""
        async with self._context.database.identity() as session:
            change = await session.get(EmailChange, customer.user_id)
        return change.email if change is not None and change.expires_at > now() else ""

    async def verify_mailbox(self, customer: Customer, code: str) -> None:
        """Check the code and enqueue the change. Raises InvalidInput (attempts left), and NotFound if it expired."""
        email, wrong = "", None
        async with self._context.database.identity() as session:
            change = await EmailChange.locked(session, customer.user_id)
            if change is None or change.expires_at < now():
                raise NotFound("no change under way", user_message="This code has run out. Ask for a new one.")
            hashed = self._hash(plain_code(code), customer.user_id)
            if change.attempts_left <= 0:
                wrong = InvalidInput({"code": "No tries are left. Ask for a new code."})
            elif not self._context.secrets.tokens.equals(hashed, change.code_hash):
                change.attempts_left -= 1
                wrong = InvalidInput({"code": Phrase(_WRONG_CODE, count=change.attempts_left)})
            else:
                email = change.email
                await session.delete(change)
        if wrong is not None:
            # Raised after the transaction, so that the used attempt is committed.
            raise wrong
        await self._profiles.enqueue_change(customer, ProfileChange(email=email))

    async def cancel(self, customer: Customer) -> None:
        """Cancel a change that is not verified yet."""
        async with self._context.database.identity() as session:
            if (change := await EmailChange.locked(session, customer.user_id)) is not None:
                await session.delete(change)

    def _hash(self, secret: str, user_id: UUID) -> bytes:
        return self._context.secrets.tokens.hash(secret, f"email-change:{user_id}")
