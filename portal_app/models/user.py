"""Users, the mapping to the systems of record, and sign-ups on the way: identity's own tables."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotSignedIn
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import now
from portal_app.models.columns import document, key, moment, sealed

EMAIL_PLACE = "users.email"


class User(SQLModel, table=True):
    """Somebody who can sign in. `profile` is the JSON of what they gave at sign-up, kept until it is handed over.

    `moved_client_id` is the WHMCS client somebody brought along: claimed here first, so that it moves only once.
    """

    __tablename__ = "users"

    id: UUID = key()
    email: str = sealed(EMAIL_PLACE)
    email_index: bytes = Field(unique=True)
    password_hash: str
    name: str = sealed("users.name")
    profile: str | None = sealed("users.profile", default=None, nullable=True)
    customer_number: str = Field(unique=True)
    status: str = "setting_up"
    language: str = "en"
    moved_client_id: int | None = Field(default=None, unique=True)
    created_at: datetime = moment(default_factory=now)

    def follow(self, name: str) -> bool:
        """Take the name that billing has; return whether it is another one. No name is no other one."""
        is_news = bool(name) and name != self.name
        self.name = name if is_news else self.name
        return is_news

    @classmethod
    async def by_email(cls, session: AsyncSession, index: bytes) -> "User | None":
        """Find a user by the blind index of the e-mail address."""
        return (await session.exec(select(cls).where(cls.email_index == index))).first()

    @classmethod
    async def held(cls, session: AsyncSession, user_id: UUID, *, for_change: bool = False) -> "User | None":
        """Find a user, read anew and locked for this transaction.

        Who opens a session holds its user, and who changes what opens one holds it alone: neither overtakes the other.
        Held before any other row.
        """
        query = select(cls).where(cls.id == user_id).execution_options(populate_existing=True)
        # Not against new rows that only refer to the user.
        locked = query.with_for_update(key_share=True) if for_change else query.with_for_update(read=True)
        return (await session.exec(locked)).first()

    @classmethod
    async def required(cls, session: AsyncSession, user_id: UUID) -> "User":
        """Return a user that must be there. Raises NotSignedIn for one that vanished."""
        user = await session.get(cls, user_id)
        if user is None:
            raise NotSignedIn("no such user")
        return user


class IdMapping(SQLModel, table=True):
    """Who is who: our user, the WHMCS client, the Salesforce account and contact."""

    __tablename__ = "id_mappings"

    user_id: UUID = Field(primary_key=True, foreign_key="users.id")
    whmcs_client_id: int = Field(unique=True)
    sf_account_id: str = Field(unique=True, max_length=18)
    sf_contact_id: str = Field(unique=True, max_length=18)
    customer_number: str = Field(unique=True, max_length=9)
    created_at: datetime = moment(default_factory=now)

    def to_domain(self) -> Customer:
        """Return the mapping as the domain knows it."""
        return Customer(
            self.user_id, self.whmcs_client_id, self.sf_account_id, self.sf_contact_id, self.customer_number
        )

    @classmethod
    async def by_client(cls, session: AsyncSession, client_id: int) -> "IdMapping | None":
        """Find the mapping of a WHMCS client."""
        return (await session.exec(select(cls).where(cls.whmcs_client_id == client_id))).first()

    @classmethod
    async def by_account(cls, session: AsyncSession, account_id: str) -> "IdMapping | None":
        """Find the mapping of a Salesforce account."""
        return (await session.exec(select(cls).where(cls.sf_account_id == account_id))).first()


class SignUp(SQLModel, table=True):
    """A mailbox being proven, and what was typed so far. The portal has made nothing at any vendor for it.

    Purpose "sign_up" or "move". `client_id` is the WHMCS client whose password was proven, `customer_number` one that
    Salesforce knows the mailbox by.
    """

    __tablename__ = "sign_ups"

    id: UUID = key()
    token_hash: bytes = Field(unique=True)
    email: str = sealed("sign_ups.email")
    code_hash: bytes
    attempts_left: int
    expires_at: datetime = moment()
    verified_at: datetime | None = moment(default=None, nullable=True)
    entries: str | None = sealed("sign_ups.entries", default=None, nullable=True)
    errors: dict[str, str] = document(default_factory=dict)
    user_id: UUID | None = Field(default=None)
    purpose: str = "sign_up"
    client_id: int | None = Field(default=None)
    password_tries_left: int = 5
    old_password_hash: str | None = Field(default=None)
    customer_number: str | None = Field(default=None, max_length=9)
    created_at: datetime = moment(default_factory=now)

    @classmethod
    async def by_token(cls, session: AsyncSession, token_hash: bytes) -> "SignUp | None":
        """Find a sign-up by the hash of its cookie, locked for this transaction."""
        return (await session.exec(select(cls).where(cls.token_hash == token_hash).with_for_update())).first()


customer_numbers = sa.Sequence("customer_numbers")
