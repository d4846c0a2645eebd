"""Linking a moved customer: the remote effects, each safe to repeat."""

from uuid import UUID

from portal_app.domain.errors import Conflict, NotFound
from portal_app.domain.ports.clients import ClientGateway, PeopleGateway
from portal_app.domain.ports.crm import CrmCustomer
from portal_app.domain.ports.whmcs_accounts import BillingLogins, ExistingAccounts, MigratingCustomer
from portal_app.models.user import User
from portal_app.services.registration.account_setup import AccountSetup


class WhmcsMigrationSetup:
    """Give the WHMCS client its customer number where it has none, adopt the Salesforce account, write the mapping."""

    def __init__(
        self,
        onboarding: AccountSetup,
        *,
        clients: ClientGateway,
        people: PeopleGateway,
        logins: BillingLogins,
        directory: ExistingAccounts,
    ) -> None:
        self._onboarding = onboarding
        self._clients = clients
        self._people = people
        self._logins = logins
        self._directory = directory

    async def number_client(self, user_id: UUID) -> int:
        """Return the client of a user, numbered. Raises Conflict where it has another customer number by now."""
        user, client_id = await self._mover(user_id)
        async with self._onboarding.waiting_told(user_id):
            client = await self._clients.client(client_id)
            if client.customer_number != user.customer_number:
                if client.customer_number.startswith("C"):
                    raise Conflict("the client has another customer number")
                await self._logins.set_customer_number(client_id, user.customer_number)
        return client_id

    async def adopt_account(self, user_id: UUID) -> CrmCustomer:
        """Adopt or create the Salesforce account and contact. Raises Conflict."""
        user, client_id = await self._mover(user_id)
        async with self._onboarding.waiting_told(user_id):
            client = await self._clients.client(client_id)
            person = await self._people.person(client_id)
            mover = MigratingCustomer(user_id, user.email, user.customer_number, client, person.billing_address)
            return await self._directory.adopt(mover)

    async def _mover(self, user_id: UUID) -> tuple[User, int]:
        user = await self._onboarding.user(user_id)
        if user.moved_client_id is None:
            raise NotFound("nothing to move")
        return user, user.moved_client_id
