"""Accounts: the user's view and the customer's ids at the vendors."""

from uuid import UUID

from portal_app.domain.errors import AccountFailed, AccountNotReady, AccountWaits
from portal_app.domain.identity.account import AccountView
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.models.user import IdMapping, User

_MAX_CACHED = 10_000


class Accounts:
    """Reads accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # A mapping never changes, and every page needs it.
        self._customers: dict[UUID, Customer] = {}

    async def view(self, user_id: UUID) -> AccountView:
        """Return the account as its owner sees it. Raises NotSignedIn if the user does not exist."""
        async with self._database.identity() as session:
            user = await User.required(session, user_id)
            mapping = await session.get(IdMapping, user_id)
        customer = mapping.to_domain() if mapping else None
        return AccountView(user.id, user.name, user.email, user.status, customer, user.language)

    async def customer(self, user_id: UUID) -> Customer:
        """Return the ids of a user at the vendors. Raises AccountNotReady while the account is being set up."""
        if (known := self._customers.get(user_id)) is not None:
            return known
        async with self._database.unit_of_work(customer=user_id) as session:
            mapping = await session.get(IdMapping, user_id)
        if mapping is None:
            raise await self._not_ready(user_id)
        if len(self._customers) >= _MAX_CACHED:
            self._customers.clear()
        return self._customers.setdefault(user_id, mapping.to_domain())

    async def _not_ready(self, user_id: UUID) -> AccountNotReady:
        async with self._database.identity() as session:
            user = await session.get(User, user_id)
        return {"waiting": AccountWaits, "failed": AccountFailed}.get(user.status if user else "", AccountNotReady)()
