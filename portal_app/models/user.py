"""Users, their ids at the vendors, and sign-ups; read and written under the identity role."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound, NotSignedIn
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import now
from portal_app.infra.database.locks import lock_name
from portal_app.models.columns import encrypted_column, id_column, json_column, time_column

EMAIL_PLACE = "users.email"


class User(SQLModel, table=True):
    """A user who can sign in. `profile` is the JSON of the sign-up's profile until the vendors have it.

    `moved_client_id` is the WHMCS client of a migrated user; unique, so that a client is migrated only once.
    """

    __tablename__ = "users"

    id: UUID = id_column()
    email: str = encrypted_column(EMAIL_PLACE)
    email_index: bytes = Field(unique=True)
    password_hash: str
    name: str = encrypted_column("users.name")
    profile: str | None = encrypted_column("users.profile", default=None, nullable=True)
    customer_number: str = Field(unique=True)
    status: str = "setting_up"
    language: str = "en"
    moved_client_id: int | None = Field(default=None, unique=True)
    created_at: datetime = time_column(default_factory=now)

    def update_name(self, name: str) -> bool:
        """Take over the name stored in WHMCS and return whether it differs; an empty name is ignored."""
        is_news = bool(name) and name != self.name
        self.name = name if is_news else self.name
        return is_news

    @classmethod
    async def by_email(cls, session: AsyncSession, index: bytes) -> "User | None":
        """Return a user by the blind index of the e-mail address, or None."""
        return (await session.exec(select(cls).where(cls.email_index == index))).first()

    @classmethod
    async def locked(cls, session: AsyncSession, user_id: UUID, *, for_change: bool = False) -> "User | None":
        """Return a user or None, re-read and locked for this transaction.

        Opening a session takes a shared lock; changing a credential or closing the account (`for_change`) takes an
        exclusive one, so that a session is never opened with credentials that were just replaced. To avoid deadlocks,
        lock the user before any other row.
        """
        query = select(cls).where(cls.id == user_id).execution_options(populate_existing=True)
        # FOR NO KEY UPDATE: inserts of rows that only reference the user are not blocked.
        locked = query.with_for_update(key_share=True) if for_change else query.with_for_update(read=True)
        return (await session.exec(locked)).first()

    @classmethod
    async def required(cls, session: AsyncSession, user_id: UUID) -> "User":
        """Return a user. Raises NotSignedIn if there is none."""
        user = await session.get(cls, user_id)
        if user is None:
            raise NotSignedIn("no such user")
        return user


class IdMapping(SQLModel, table=True):
    """The ids of one customer: user, WHMCS client, Salesforce account and contact."""

    __tablename__ = "id_mappings"

    user_id: UUID = Field(primary_key=True, foreign_key="users.id")
    whmcs_client_id: int = Field(unique=True)
    sf_account_id: str = Field(unique=True, max_length=18)
    sf_contact_id: str = Field(unique=True, max_length=18)
    customer_number: str = Field(unique=True, max_length=9)
    created_at: datetime = time_column(default_factory=now)

    def to_domain(self) -> Customer:
        """Return the domain object."""
        return Customer(
            self.user_id, self.whmcs_client_id, self.sf_account_id, self.sf_contact_id, self.customer_number
        )

    @classmethod
    async def customer_of(cls, session: AsyncSession, user_id: UUID) -> Customer:
        """Return a user's ids. Raises NotFound."""
        mapping = await session.get(cls, user_id)
        if mapping is None:
            raise NotFound("no such customer")
        return mapping.to_domain()

    @classmethod
    async def by_client(cls, session: AsyncSession, client_id: int) -> "IdMapping | None":
        """Return the mapping of a WHMCS client, or None."""
        return (await session.exec(select(cls).where(cls.whmcs_client_id == client_id))).first()

    @classmethod
    async def by_account(cls, session: AsyncSession, account_id: str) -> "IdMapping | None":
        """Return the mapping of a Salesforce account, or None."""
        return (await session.exec(select(cls).where(cls.sf_account_id == account_id))).first()


class SignUp(SQLModel, table=True):
    """A sign-up that is not completed: the mailbox to verify and the entries so far. No vendor knows it yet.

    `purpose` is "sign_up" or "move" (migration of a WHMCS client). `client_id` is the WHMCS client whose password was
    verified, `customer_number` the number that WHMCS or Salesforce already stores for this customer.
    """

    __tablename__ = "sign_ups"

    id: UUID = id_column()
    token_hash: bytes = Field(unique=True)
    email: str = encrypted_column("sign_ups.email")
    email_index: bytes | None = Field(default=None, index=True)
    code_hash: bytes
    attempts_left: int
    expires_at: datetime = time_column()
    verified_at: datetime | None = time_column(default=None, nullable=True)
    entries: str | None = encrypted_column("sign_ups.entries", default=None, nullable=True)
    errors: dict[str, str] = json_column(default_factory=dict)
    user_id: UUID | None = Field(default=None)
    purpose: str = "sign_up"
    client_id: int | None = Field(default=None)
    password_tries_left: int = 5
    old_password_hash: str | None = Field(default=None)
    customer_number: str | None = Field(default=None, max_length=9)
    created_at: datetime = time_column(default_factory=now)

    @classmethod
    async def by_token(cls, session: AsyncSession, token_hash: bytes) -> "SignUp | None":
        """Return a sign-up by the hash of its cookie or None, locked for this transaction."""
        return (await session.exec(select(cls).where(cls.token_hash == token_hash).with_for_update())).first()

    @classmethod
    async def void(cls, session: AsyncSession, purpose: str, email_index: bytes) -> None:
        """End the earlier sign-ups of an address whose mailbox is not verified: only its newest code works."""
        connection, at = await session.connection(), now()
        await lock_name(session, f"{purpose}:{email_index.hex()}")
        earlier = sa.update(cls).where(
            col(cls.email_index) == email_index,
            col(cls.purpose) == purpose,
            col(cls.verified_at).is_(None),
            col(cls.expires_at) > at,
        )
        await connection.execute(earlier.values(expires_at=at - timedelta(seconds=1)))


customer_numbers = sa.Sequence("customer_numbers")
