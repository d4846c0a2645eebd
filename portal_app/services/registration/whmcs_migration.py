"""Migration of an existing WHMCS client to a portal account: verify mailbox and WHMCS password, set a new password.

Answers that reveal anything about the WHMCS account are given only after both are verified.
"""

import json
from typing import Literal

import sqlalchemy as sa
import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, ExternalError, InvalidInput, NotAllowed, NotSignedIn
from portal_app.domain.identifiers import customer_number, is_customer_number
from portal_app.domain.identity.account import MfaRequired, Origin, Tokens
from portal_app.domain.ports.clients import BillingClient, ClientGateway
from portal_app.domain.ports.whmcs_accounts import BillingLogin, BillingLogins, ExistingAccounts
from portal_app.infra.database.locks import lock_name
from portal_app.infra.security.password_policy import check_new_password
from portal_app.language.phrase import Phrase
from portal_app.models.user import EMAIL_PLACE, IdMapping, SignUp, User, customer_numbers
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.sign_in import SignIn
from portal_app.services.identity.sign_in_tries import has_room_in_audit
from portal_app.services.registration.sign_up import SignUps

AccountSource = Literal["new", "billing", "elsewhere", "away"]
_WRONG = "That is not the password of your billing account. Tries left: {count}."
_NO_TRIES = "No tries are left. Start again later, or write to us."
_SECOND_FACTOR = (
    "Your billing account asks for a second step when you sign in there. Switch it off in the billing area, then come "
    "back: you can switch it on again here afterwards."
)
_NOT_OWNER = "You may use this billing account, but it belongs to somebody else. Ask its owner to move it."
_CLOSED = "This billing account is closed. Write to us, and we help you on."
_SEVERAL = "More than one billing account belongs to you. Write to us, and we move the right one."
_HERE = "This billing account has been moved already. Sign in, or set a new password if you forgot it."
_SPELLED = "Your billing account spells this address differently. We sent a new code to it there."
_SAME = "Choose a password that is different from the one of your billing account."
_log = structlog.get_logger(__name__)


class WhmcsMigration:
    """Migrates a WHMCS client to a portal account, once."""

    def __init__(
        self,
        context: ServiceContext,
        sign_ups: SignUps,
        sign_in: SignIn,
        *,
        clients: ClientGateway,
        logins: BillingLogins,
        existing_accounts: ExistingAccounts,
    ) -> None:
        self._context = context
        self._sign_ups = sign_ups
        self._sign_in = sign_in
        self._clients = clients
        self._logins = logins
        self._existing_accounts = existing_accounts

    async def find_existing_account(self, token: str) -> AccountSource:
        """Return where a verified mailbox is known.

        "billing": at WHMCS; "elsewhere": at Salesforce, belonging to an account with another address; "new": nowhere,
        or only at Salesforce (then its customer number is kept); "away": a vendor is unavailable.
        """
        progress = await self._sign_ups.progress(token)
        if not progress.is_proven:
            raise NotSignedIn("mailbox not verified")
        try:
            if await self._logins.find(progress.email) or await self._clients.find_client(progress.email):
                known: AccountSource = "billing"
                number = None
            else:
                known, number = await self._known_to_crm(progress.email)
        except ExternalError as error:
            _log.warning("migration.vendor_unavailable", error=type(error).__name__)
            return "away"
        async with self._context.database.identity() as session:
            sign_up = await self._sign_ups.locked_sign_up(session, token)
            sign_up.purpose = "move" if known == "billing" else sign_up.purpose
            sign_up.customer_number = number
        return known

    async def verify_whmcs_password(self, token: str, password: str, origin: Origin) -> None:
        """Verify the WHMCS password of a verified mailbox and select the client to migrate.

        Raises InvalidInput (attempts left), NotAllowed and Conflict with the customer's next step, NotSignedIn,
        RateLimited and ExternalUnavailable.
        """
        settings = self._context.settings
        limit, wait = settings.portal_sign_in_limit, settings.portal_hash_seconds
        # A right password leaves the neighbours behind the same address their tries.
        async with self._context.limits.undecided(limit, "move-address", origin.network, wait=wait) as made:
            made.counts = False
            try:
                login = await self._verified_login(token, password, origin)
            except InvalidInput:
                made.counts = True
                raise
        client = await self._client_to_migrate(login)
        hashed = await self._context.secrets.passwords.hash(password)
        async with self._context.database.identity() as session:
            sign_up = await self._sign_ups.locked_sign_up(session, token)
            sign_up.client_id, sign_up.old_password_hash = client.id, hashed
            sign_up.customer_number = client.customer_number if is_customer_number(client.customer_number) else None
            sign_up.entries = json.dumps({"name": f"{client.first_name} {client.last_name}".strip()})

    async def _verified_login(self, token: str, password: str, origin: Origin) -> BillingLogin:
        """Return the login at WHMCS of a mailbox whose password is right. Raises as `verify_whmcs_password`."""
        email, left = await self._use_attempt(token)
        try:
            login = await self._logins.verify_password(email, password[:500])
        except ExternalError:
            await self._restore_attempt(token)
            raise
        if login is None or login.email.casefold() != email.casefold():
            await self._record_failure()
            raise InvalidInput({"password": Phrase(_WRONG, count=left) if left else _NO_TRIES})
        if login.email != email:
            await self._sign_ups.send_new_code(token, login.email, origin)
            raise Conflict("another spelling of the address", user_message=_SPELLED, code="mailbox_again")
        return login

    async def complete(self, token: str, password: str, origin: Origin) -> Tokens | MfaRequired:
        """Set the portal password, create the user, enqueue the linking, and sign the user in.

        Submitting twice signs in to the same account. Raises InvalidInput, Conflict, NotSignedIn.
        """
        async with self._context.database.identity() as session:
            sign_up = await self._sign_ups.locked_sign_up(session, token)
            if sign_up.verified_at is None or sign_up.client_id is None:
                raise NotSignedIn("nothing verified to migrate")
            email, done, old = sign_up.email, sign_up.user_id, sign_up.old_password_hash
            name = json.loads(sign_up.entries or "{}").get("name", "")
        if done is not None:
            return await self._sign_in.with_password(email, password, origin)
        check_new_password(password, context=(email.partition("@")[0], *name.split()))
        if await self._context.secrets.passwords.verify(password, old):
            raise InvalidInput({"password": _SAME})
        hashed = await self._context.secrets.passwords.hash(password)
        async with self._context.database.identity() as session:
            sign_up = await self._sign_ups.locked_sign_up(session, token)
            user = await self._user(session, sign_up, hashed, origin)
            return await self._sign_in.completion.after_password(session, user, origin)

    async def is_ready(self, token: str) -> bool:
        """Return whether mailbox and WHMCS password are verified, so that only the new password is missing."""
        try:
            async with self._context.database.identity() as session:
                sign_up = await self._sign_ups.locked_sign_up(session, token)
                return sign_up.verified_at is not None and sign_up.client_id is not None
        except NotSignedIn:
            return False

    async def _known_to_crm(self, email: str) -> tuple[AccountSource, str | None]:
        person = await self._existing_accounts.find_person(email)
        if person is None or not is_customer_number(person.customer_number):
            return "new", None
        async with self._context.database.identity() as session:
            taken = (await session.exec(select(User.id).where(User.customer_number == person.customer_number))).first()
        if person.is_billed or taken is not None:
            return "elsewhere", None
        return "new", person.customer_number

    async def _use_attempt(self, token: str) -> tuple[str, int]:
        async with self._context.database.identity() as session:
            sign_up = await self._sign_ups.locked_sign_up(session, token)
            if sign_up.verified_at is None:
                raise NotSignedIn("mailbox not verified")
            index = self._context.secrets.ring.index(sign_up.email, EMAIL_PLACE)
            left, email = sign_up.password_tries_left, sign_up.email
            sign_up.password_tries_left = max(0, left - 1)
        if left <= 0:
            raise InvalidInput({"password": _NO_TRIES})
        # WHMCS cannot limit guesses per person, because all calls come from the portal.
        await self._context.limits.consume(self._context.settings.portal_sign_up_limit, "move-email", index.hex())
        return email, left - 1

    async def _restore_attempt(self, token: str) -> None:
        async with self._context.database.identity() as session:
            (await self._sign_ups.locked_sign_up(session, token)).password_tries_left += 1

    async def _record_failure(self) -> None:
        if not await has_room_in_audit(self._context, "migration"):
            return
        async with self._context.database.identity() as session:
            record(session, Tag.MOVE_REFUSED, user_id=None, actor="you")

    async def _client_to_migrate(self, login: BillingLogin) -> BillingClient:
        """Return the only client that can be migrated. Raises NotAllowed or Conflict with the next step."""
        if login.has_second_factor:
            raise NotAllowed("second factor at WHMCS", user_message=_SECOND_FACTOR, code="billing_second_factor")
        if not login.owned:
            raise NotAllowed("owns no client", user_message=_NOT_OWNER, code="not_the_owner")
        owned = [await self._clients.client(client_id) for client_id in login.owned]
        active = [client for client in owned if client.status != "Closed"]
        if not active:
            raise NotAllowed("client closed", user_message=_CLOSED, code="billing_closed")
        same_email = [client for client in active if client.email.casefold() == login.email.casefold()]
        chosen = active if len(active) == 1 else same_email
        if len(chosen) != 1:
            raise NotAllowed("several clients", user_message=_SEVERAL, code="several_accounts")
        if await self._is_taken(chosen[0]):
            raise Conflict("client migrated already", user_message=_HERE, code="already_moved")
        return chosen[0]

    async def _is_taken(self, client: BillingClient) -> bool:
        async with self._context.database.identity() as session:
            if await IdMapping.by_client(session, client.id) is not None:
                return True
            claimed = sa.or_(
                col(User.moved_client_id) == client.id, col(User.customer_number) == client.customer_number
            )
            return (await session.exec(select(User.id).where(claimed))).first() is not None

    async def _user(self, session: AsyncSession, sign_up: SignUp, hashed: str, origin: Origin) -> User:
        if sign_up.user_id is not None:
            return await User.required(session, sign_up.user_id)
        index = self._context.secrets.ring.index(sign_up.email, EMAIL_PLACE)
        connection = await session.connection()
        for name in (index.hex(), f"client-{sign_up.client_id}"):
            await lock_name(session, name)
        await self._refuse_taken(session, sign_up, index)
        number = sign_up.customer_number
        if number is None:
            number = customer_number((await connection.execute(sa.select(customer_numbers.next_value()))).scalar_one())
        user = User(
            email=sign_up.email,
            email_index=index,
            password_hash=hashed,
            name=json.loads(sign_up.entries or "{}").get("name", "") or sign_up.email,
            customer_number=number,
            language=origin.language,
            moved_client_id=sign_up.client_id,
        )
        session.add(user)
        await session.flush()
        sign_up.user_id, sign_up.entries, sign_up.old_password_hash = user.id, None, None
        record(session, Tag.ACCOUNT_MOVED, user_id=user.id, actor="you")
        await self._context.queue.enqueue(session, "move_in", f"move-in-{user.id}", str(user.id))
        return user

    @staticmethod
    async def _refuse_taken(session: AsyncSession, sign_up: SignUp, index: bytes) -> None:
        taken = sa.or_(
            col(User.email_index) == index,
            col(User.moved_client_id) == sign_up.client_id,
            col(User.customer_number) == (sign_up.customer_number or ""),
        )
        if (await session.exec(select(User.id).where(taken))).first() is not None:
            raise Conflict("client migrated in the meantime", user_message=_HERE, code="already_moved")
