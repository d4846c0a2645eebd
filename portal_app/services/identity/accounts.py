"""Accounts: who somebody is to us and to the systems of record."""

from uuid import UUID

from portal_app.domain.errors import AccountFailed, AccountNotReady, AccountWaits, NotSignedIn
from portal_app.domain.identity.account import AccountView
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.models.user import IdMapping, User

_MOST_CUSTOMERS = 10_000


class Accounts:
    """Read who somebody is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # A mapping never changes once it is made, and every page asks for it.
        self._customers: dict[UUID, Customer] = {}

    async def view(self, user_id: UUID) -> AccountView:
        """Return what a signed-in user may see of the own account. Raises NotSignedIn for a vanished user."""
        async with self._database.identity() as session:
            user = await session.get(User, user_id)
            mapping = await session.get(IdMapping, user_id)
        if user is None:
            raise NotSignedIn("no such user")
        customer = mapping.to_domain() if mapping else None
        return AccountView(user.id, user.name, user.email, user.status, customer, user.language)

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
