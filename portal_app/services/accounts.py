"""Accounts: a mailbox proven, a user created, a password checked."""

import json
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.account import AccountView, Origin, SignUpProgress, Tokens
from portal_app.domain.customer import Customer, Profile, parse_email
from portal_app.domain.errors import AccountFailed, AccountNotReady, AccountWaits, Conflict, InvalidInput, NotSignedIn
from portal_app.domain.identifiers import customer_number
from portal_app.infra.database import Database
from portal_app.infra.durable import DurableQueue
from portal_app.infra.encryption import KeyRing
from portal_app.infra.passwords import MAX_LENGTH, Passwords, check_new_password
from portal_app.infra.rate_limit import RateLimits
from portal_app.infra.settings import Settings
from portal_app.infra.tokens import RandomTokens
from portal_app.models.columns import now
from portal_app.models.user import EMAIL_PLACE, IdMapping, SignUp, User, customer_numbers
from portal_app.services.audit import Tag, record
from portal_app.services.notifications import Notifications
from portal_app.services.sessions import Sessions

WRONG_SIGN_IN = "That e-mail address and password do not match. Check both, or reset your password."
_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_MOST_CUSTOMERS = 10_000
_ENDED = "This sign-up has run out. Start again with your e-mail address."


@dataclass(frozen=True, slots=True)
class Vault:
    """The secrets' workshop: what hashes passwords, makes codes and finds e-mails."""

    passwords: Passwords
    tokens: RandomTokens
    ring: KeyRing


class Accounts:
    """Sign up, sign in, and who somebody is."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        vault: Vault,
        limits: RateLimits,
        *,
        sessions: Sessions,
        notifications: Notifications,
        queue: DurableQueue,
    ) -> None:
        self._settings = settings
        self._database = database
        self._vault = vault
        self._limits = limits
        self._sessions = sessions
        self._notifications = notifications
        self._queue = queue
        # A mapping never changes once it is made, and every page asks for it.
        self._customers: dict[UUID, Customer] = {}

    async def begin_sign_up(self, email: str, origin: Origin) -> str:
        """Mail a six-digit code to an address and return the token of this sign-up.

        An address that has an account gets the same answer, and a mail that says so instead of a code.
        Raises InvalidInput, RateLimited.
        """
        email = parse_email(email)
        index = self._vault.ring.index(email, EMAIL_PLACE)
        await self._limits.hit(self._settings.portal_sign_in_limit, "sign-up-address", origin.address)
        await self._limits.hit(self._settings.portal_sign_up_limit, "sign-up-email", index.hex())
        token, code = self._vault.tokens.new(), self._vault.tokens.new_code()
        async with self._database.identity() as session:
            known = await User.by_email(session, index)
            # A known address gets a code hash nobody can meet; everything else is the same work.
            secret = self._vault.tokens.new() if known else code
            session.add(
                SignUp(
                    token_hash=self._vault.tokens.hash(token, "sign-up"),
                    email=email,
                    code_hash=self._vault.tokens.hash(secret, f"code:{token}"),
                    attempts_left=self._settings.portal_code_attempts,
                    expires_at=now() + timedelta(seconds=self._settings.portal_code_seconds),
                )
            )
            occasion = "already_registered" if known else "sign_up_code"
            await self._notifications.mail(session, occasion, recipient=email, user_id=None, code="" if known else code)
        return token

    async def prove_mailbox(self, token: str, code: str) -> None:
        """Check a mailed code. Raises InvalidInput (field code, tries left) and NotSignedIn for a dead sign-up."""
        wrong: InvalidInput | None = None
        async with self._database.identity() as session:
            sign_up = await self._sign_up(session, token)
            # A Japanese keyboard may write full-width digits.
            digits = "".join(unicodedata.normalize("NFKC", code).split())
            hashed = self._vault.tokens.hash(digits, f"code:{token}")
            if sign_up.attempts_left <= 0:
                wrong = InvalidInput({"code": "No tries are left. Ask for a new code."})
            elif not self._vault.tokens.same(hashed, sign_up.code_hash):
                sign_up.attempts_left -= 1
                wrong = InvalidInput({"code": f"That is not the code. Tries left: {sign_up.attempts_left}."})
            else:
                sign_up.verified_at = now()
                sign_up.expires_at = now() + timedelta(hours=2)
        if wrong is not None:
            # Raised only here: the used-up try must be kept.
            raise wrong

    async def sign_up_progress(self, token: str) -> SignUpProgress:
        """Return how far a sign-up is. Raises NotSignedIn for a dead one."""
        async with self._database.identity() as session:
            sign_up = await self._sign_up(session, token)
            return SignUpProgress(
                email=sign_up.email,
                is_proven=sign_up.verified_at is not None,
                attempts_left=sign_up.attempts_left,
                entries=json.loads(sign_up.entries or "{}"),
                errors=sign_up.errors,
            )

    async def complete_sign_up(self, token: str, form: dict[str, str], origin: Origin) -> Tokens:
        """Create the user, enqueue the set-up at WHMCS and Salesforce, and sign them in.

        Raises InvalidInput with every wrong field; what was typed (but the password) is kept. A second submit
        of the same form signs in to the same account.
        """
        form = dict(form)
        password = form.pop("password", "")
        try:
            async with self._database.identity() as session:
                sign_up = await self._sign_up(session, token)
                if sign_up.verified_at is None:
                    raise NotSignedIn("mailbox not proven")
                email, done = sign_up.email, sign_up.user_id
            profile = self._checked(email, form, password)
        except InvalidInput as error:
            await self._keep_entries(token, form, error.fields)
            raise
        if done is not None:
            return await self.sign_in(email, password, origin)
        hashed = await self._vault.passwords.hash(password)
        async with self._database.identity() as session:
            sign_up = await self._sign_up(session, token)
            user_id = sign_up.user_id or await self._create_user(session, sign_up, profile, hashed)
            return await self._sessions.open(
                session, user_id, factors=("pwd",), browser=origin.browser, address=origin.address
            )

    async def sign_in(self, email: str, password: str, origin: Origin) -> Tokens:
        """Check a password and open a session. Raises NotSignedIn in the same words and time for every reason."""
        index = self._vault.ring.index(email, EMAIL_PLACE)
        await self._limits.hit(self._settings.portal_sign_in_limit, "sign-in-address", origin.address)
        await self._limits.hit(self._settings.portal_account_limit, "sign-in-account", index.hex())
        async with self._database.identity() as session:
            user = await User.by_email(session, index)
        too_long = len(password) > MAX_LENGTH * 4
        right = await self._vault.passwords.verify("" if too_long else password, user.password_hash if user else None)
        rehash = user is not None and right and self._vault.passwords.needs_rehash(user.password_hash)
        rehashed = await self._vault.passwords.hash(password) if rehash else None
        async with self._database.identity() as session:
            if user is None or not right or user.status == "closed":
                record(session, Tag.SIGN_IN_FAILED, user_id=user.id if user else None, actor="you")
                tokens = None
            else:
                if rehashed and (row := await session.get(User, user.id)):
                    row.password_hash = rehashed
                record(session, Tag.SIGNED_IN, user_id=user.id, actor="you")
                tokens = await self._sessions.open(
                    session, user.id, factors=("pwd",), browser=origin.browser, address=origin.address
                )
        if tokens is None:
            raise NotSignedIn("wrong e-mail or password", user_message=WRONG_SIGN_IN)
        return tokens

    async def view(self, user_id: UUID) -> AccountView:
        """Return what a signed-in user may see of the own account. Raises NotSignedIn for a vanished user."""
        async with self._database.identity() as session:
            user = await session.get(User, user_id)
            mapping = await session.get(IdMapping, user_id)
        if user is None:
            raise NotSignedIn("no such user")
        return AccountView(user.id, user.name, user.email, user.status, mapping.to_domain() if mapping else None)

    async def customer(self, user_id: UUID) -> Customer:
        """Return the mapping of a user. Raises AccountNotReady while it is being set up."""
        if (known := self._customers.get(user_id)) is not None:
            return known
        async with self._database.unit_of_work(customer=user_id) as session:
            mapping = await session.get(IdMapping, user_id)
        if mapping is None:
            raise await self._not_ready(user_id)
        if len(self._customers) >= _MOST_CUSTOMERS:
            self._customers.clear()
        return self._customers.setdefault(user_id, mapping.to_domain())

    async def _not_ready(self, user_id: UUID) -> AccountNotReady:
        async with self._database.identity() as session:
            user = await session.get(User, user_id)
        return {"waiting": AccountWaits, "failed": AccountFailed}.get(user.status if user else "", AccountNotReady)()

    async def _sign_up(self, session: AsyncSession, token: str) -> SignUp:
        sign_up = await SignUp.by_token(session, self._vault.tokens.hash(token, "sign-up"))
        if sign_up is None or sign_up.expires_at < now():
            raise NotSignedIn("sign-up ended", user_message=_ENDED)
        return sign_up

    @staticmethod
    def _checked(email: str, form: dict[str, str], password: str) -> Profile:
        wrong: dict[str, str] = {}
        profile = None
        try:
            profile = Profile.parse(email, form)
        except InvalidInput as error:
            wrong |= error.fields
        try:
            check_new_password(password, context=(email.partition("@")[0], form.get("last_name", "")))
        except InvalidInput as error:
            wrong |= error.fields
        if form.get("terms") != "on":
            wrong["terms"] = "Agree to the terms to create an account."
        if wrong or profile is None:
            raise InvalidInput(wrong)
        return profile

    async def _keep_entries(self, token: str, form: dict[str, str], errors: dict[str, str]) -> None:
        async with self._database.identity() as session:
            sign_up = await self._sign_up(session, token)
            sign_up.entries = json.dumps({name: value[:200] for name, value in list(form.items())[:40]})
            sign_up.errors = errors

    async def _create_user(self, session: AsyncSession, sign_up: SignUp, profile: Profile, hashed: str) -> UUID:
        index = self._vault.ring.index(profile.email, EMAIL_PLACE)
        connection = await session.connection()
        # Two sign-ups of one address queue up here; the second finds what the first wrote.
        await connection.execute(_LOCK, {"name": index.hex()})
        if await User.by_email(session, index) is not None:
            raise Conflict("e-mail registered meanwhile", user_message="This address has an account by now. Sign in.")
        drawn = await connection.execute(sa.select(customer_numbers.next_value()))
        number = customer_number(drawn.scalar_one())
        user = User(
            email=profile.email,
            email_index=index,
            password_hash=hashed,
            name=profile.full_name,
            profile=profile_to_json(profile),
            customer_number=number,
            language=self._settings.portal_language,
        )
        session.add(user)
        await session.flush()
        sign_up.user_id, sign_up.entries, sign_up.errors = user.id, None, {}
        record(session, Tag.ACCOUNT_CREATED, user_id=user.id, actor="you")
        await self._queue.enqueue(session, "sign_up", f"sign-up-{user.id}", str(user.id))
        return user.id


def profile_to_json(profile: Profile) -> str:
    """Return a profile as the users table keeps it, sealed, until it is handed over."""
    address = {name: getattr(profile.address, name) for name in profile.address.__dataclass_fields__}
    person = {
        name: getattr(profile, name)
        for name in ("email", "first_name", "last_name", "phone", "first_name_kana", "last_name_kana")
    }
    return json.dumps({**person, **address})


def profile_from_json(text: str) -> Profile:
    """Read what `profile_to_json` wrote."""
    entries = json.loads(text)
    return Profile.parse(entries["email"], entries)
