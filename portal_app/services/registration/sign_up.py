"""Sign-up: verify the mailbox, take the details, create the user and enqueue the set-up at the vendors."""

import json
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, InvalidInput, NotSignedIn
from portal_app.domain.identifiers import customer_number
from portal_app.domain.identity.account import MfaRequired, Origin, Purpose, SignUpProgress, Tokens
from portal_app.domain.identity.typed_code import plain_code
from portal_app.domain.profile.customer import Profile, parse_email
from portal_app.infra.clock import now
from portal_app.infra.database.locks import lock_name
from portal_app.infra.security.password_policy import check_new_password
from portal_app.language.phrase import Phrase
from portal_app.models.user import EMAIL_PLACE, SignUp, User, customer_numbers
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.sign_in import SignIn

_WRONG_CODE = "That is not the code. Tries left: {count}."
_ENDED = "This sign-up has run out. Start again with your e-mail address."


class SignUps:
    """Runs sign-ups. Each has a token in a cookie of its browser."""

    def __init__(self, context: ServiceContext, sign_in: SignIn) -> None:
        self._context = context
        self._sign_in = sign_in

    async def begin(self, email: str, origin: Origin, *, purpose: Purpose = "sign_up") -> str:
        """Mail a six-digit code to an address and return the token of the sign-up (or migration).

        For an address with an account the answer is the same, but the mail says so and has no code.
        Raises InvalidInput, RateLimited.
        """
        email = parse_email(email)
        index = self._context.secrets.ring.index(email, EMAIL_PLACE)
        settings, limits = self._context.settings, self._context.limits
        await limits.consume(settings.portal_sign_up_limit, "sign-up-email", index.hex())
        await limits.consume(settings.portal_request_limit, "sign-up-address", origin.network)
        token, code = self._context.secrets.tokens.new(), self._context.secrets.tokens.new_code()
        async with self._context.database.identity() as session:
            known = await User.by_email(session, index)
            # For a known address no code can match the hash; all other work is the same.
            secret = self._context.secrets.tokens.new() if known else code
            await SignUp.void(session, purpose, index)
            session.add(
                SignUp(
                    token_hash=self._context.secrets.tokens.hash(token, "sign-up"),
                    email=email,
                    email_index=index,
                    purpose=purpose,
                    code_hash=self._context.secrets.tokens.hash(secret, f"code:{token}"),
                    attempts_left=self._context.settings.portal_code_attempts,
                    expires_at=now() + timedelta(seconds=self._context.settings.portal_code_seconds),
                )
            )
            template = "already_registered" if known else "sign_up_code"
            await self._context.email_outbox.enqueue(
                session, template, recipient=email, user_id=None, language=origin.language, code="" if known else code
            )
        return token

    async def verify_mailbox(self, token: str, code: str) -> None:
        """Check a mailed code. Raises InvalidInput (field code, attempts left), and NotSignedIn if it expired."""
        wrong: InvalidInput | None = None
        async with self._context.database.identity() as session:
            sign_up = await self.locked_sign_up(session, token)
            hashed = self._context.secrets.tokens.hash(plain_code(code), f"code:{token}")
            if sign_up.attempts_left <= 0:
                wrong = InvalidInput({"code": "No tries are left. Ask for a new code."})
            elif not self._context.secrets.tokens.equals(hashed, sign_up.code_hash):
                sign_up.attempts_left -= 1
                wrong = InvalidInput({"code": Phrase(_WRONG_CODE, count=sign_up.attempts_left)})
            else:
                sign_up.verified_at = now()
                sign_up.expires_at = now() + timedelta(hours=2)
        if wrong is not None:
            # Raised after the transaction, so that the used attempt is committed.
            raise wrong

    async def progress(self, token: str) -> SignUpProgress:
        """Return the state of a sign-up. Raises NotSignedIn if it has expired."""
        async with self._context.database.identity() as session:
            sign_up = await self.locked_sign_up(session, token)
            return SignUpProgress(
                email=sign_up.email,
                is_proven=sign_up.verified_at is not None,
                attempts_left=sign_up.attempts_left,
                entries=json.loads(sign_up.entries or "{}"),
                errors=sign_up.errors,
                is_migration=sign_up.purpose == "move",
            )

    async def send_new_code(self, token: str, email: str, origin: Origin) -> None:
        """Mail a new code to another spelling of the address. Raises NotSignedIn, RateLimited."""
        index = self._context.secrets.ring.index(email, EMAIL_PLACE)
        await self._context.limits.consume(self._context.settings.portal_sign_up_limit, "sign-up-email", index.hex())
        code = self._context.secrets.tokens.new_code()
        async with self._context.database.identity() as session:
            sign_up = await self.locked_sign_up(session, token)
            sign_up.email, sign_up.email_index, sign_up.verified_at = email, index, None
            sign_up.code_hash = self._context.secrets.tokens.hash(code, f"code:{token}")
            sign_up.attempts_left = self._context.settings.portal_code_attempts
            sign_up.expires_at = now() + timedelta(seconds=self._context.settings.portal_code_seconds)
            await self._context.email_outbox.enqueue(
                session, "sign_up_code", recipient=email, user_id=None, language=origin.language, code=code
            )

    async def locked_sign_up(self, session: AsyncSession, token: str) -> SignUp:
        """Return a sign-up, locked for this transaction. Raises NotSignedIn if it has expired."""
        sign_up = await SignUp.by_token(session, self._context.secrets.tokens.hash(token, "sign-up"))
        if sign_up is None or sign_up.expires_at < now():
            raise NotSignedIn("sign-up ended", user_message=_ENDED)
        return sign_up

    async def complete(self, token: str, form: dict[str, str], origin: Origin) -> Tokens | MfaRequired:
        """Create the user, enqueue the set-up at WHMCS and Salesforce, and sign the user in.

        Raises InvalidInput with every invalid field; all entries except the password are stored. Submitting the same
        form twice signs in to the same account.
        """
        form = dict(form)
        password = form.pop("password", "")
        try:
            async with self._context.database.identity() as session:
                sign_up = await self.locked_sign_up(session, token)
                if sign_up.verified_at is None:
                    raise NotSignedIn("mailbox not verified")
                email, done = sign_up.email, sign_up.user_id
            profile = self._validated(email, form, password)
        except InvalidInput as error:
            await self._save_entries(token, form, error.fields)
            raise
        if done is not None:
            return await self._sign_in.with_password(email, password, origin)
        hashed = await self._context.secrets.passwords.hash(password)
        async with self._context.database.identity() as session:
            sign_up = await self.locked_sign_up(session, token)
            user_id = sign_up.user_id or await self._create_user(
                session, sign_up, profile, hashed, language=origin.language
            )
            user = await User.required(session, user_id)
            return await self._sign_in.completion.after_password(session, user, origin)

    @staticmethod
    def _validated(email: str, form: dict[str, str], password: str) -> Profile:
        wrong: dict[str, str] = {}
        profile = None
        try:
            profile = Profile.parse(email, form)
        except InvalidInput as error:
            wrong |= error.fields
        try:
            check_new_password(
                password, context=(email.partition("@")[0], form.get("first_name", ""), form.get("last_name", ""))
            )
        except InvalidInput as error:
            wrong |= error.fields
        if form.get("terms") != "on":
            wrong["terms"] = "Agree to the terms to create an account."
        if wrong or profile is None:
            raise InvalidInput(wrong)
        return profile

    async def _save_entries(self, token: str, form: dict[str, str], errors: dict[str, str]) -> None:
        async with self._context.database.identity() as session:
            sign_up = await self.locked_sign_up(session, token)
            sign_up.entries = json.dumps({name: value[:200] for name, value in list(form.items())[:40]})
            sign_up.errors = errors

    async def _create_user(
        self, session: AsyncSession, sign_up: SignUp, profile: Profile, hashed: str, *, language: str
    ) -> UUID:
        index = self._context.secrets.ring.index(profile.email, EMAIL_PLACE)
        # Serialises sign-ups of one address: the second one sees the user that the first one created.
        await lock_name(session, index.hex())
        if await User.by_email(session, index) is not None:
            raise Conflict(
                "e-mail registered in the meantime", user_message="This address has an account by now. Sign in."
            )
        number = await self._number(session, sign_up)
        user = User(
            email=profile.email,
            email_index=index,
            password_hash=hashed,
            name=profile.full_name,
            profile=profile.to_json(),
            customer_number=number,
            language=language or self._context.settings.portal_language,
        )
        session.add(user)
        await session.flush()
        sign_up.user_id, sign_up.entries, sign_up.errors = user.id, None, {}
        record(session, Tag.ACCOUNT_CREATED, user_id=user.id, actor="you")
        await self._context.queue.enqueue(session, "sign_up", f"sign-up-{user.id}", str(user.id))
        return user.id

    @staticmethod
    async def _number(session: AsyncSession, sign_up: SignUp) -> str:
        """Return the customer number that Salesforce already stores, unless a user has it, or a new number."""
        known = sign_up.customer_number
        if known and (await session.exec(select(User.id).where(User.customer_number == known))).first() is None:
            return known
        result = await (await session.connection()).execute(sa.select(customer_numbers.next_value()))
        return customer_number(result.scalar_one())
