"""Set-up of a migrated customer at WHMCS and Salesforce. Every step is safe to repeat."""

from uuid import UUID

from portal_app.domain.errors import Conflict, NotFound
from portal_app.domain.ports.clients import ClientGateway, PeopleGateway
from portal_app.domain.ports.crm import CrmCustomer
from portal_app.domain.ports.whmcs_accounts import BillingLogins, ExistingAccounts, MigratingCustomer
from portal_app.models.user import User
from portal_app.services.registration.account_setup import AccountSetup


class WhmcsMigrationSetup:
    """Gives the WHMCS client a customer number if it has none, and links the Salesforce account."""

    def __init__(
        self,
        account_setup: AccountSetup,
        *,
        clients: ClientGateway,
        people: PeopleGateway,
        logins: BillingLogins,
        existing_accounts: ExistingAccounts,
    ) -> None:
        self._account_setup = account_setup
        self._clients = clients
        self._people = people
        self._logins = logins
        self._existing_accounts = existing_accounts

    async def number_client(self, user_id: UUID) -> int:
        """Return the user's WHMCS client id, with its customer number set. Raises Conflict if it has another number."""
        user, client_id = await self._migrating_user(user_id)
        async with self._account_setup.reporting_outage(user_id):
            client = await self._clients.client(client_id)
            if client.customer_number != user.customer_number:
                if client.customer_number.startswith("C"):
                    raise Conflict("the client has another customer number")
                await self._logins.set_customer_number(client_id, user.customer_number)
        return client_id

    async def adopt_account(self, user_id: UUID) -> CrmCustomer:
        """Link or create the Salesforce account and contact. Raises Conflict."""
        user, client_id = await self._migrating_user(user_id)
        async with self._account_setup.reporting_outage(user_id):
            client = await self._clients.client(client_id)
            person = await self._people.person(client_id)
            customer = MigratingCustomer(user_id, user.email, user.customer_number, client, person.billing_address)
            return await self._existing_accounts.adopt(customer)

    async def _migrating_user(self, user_id: UUID) -> tuple[User, int]:
        user = await self._account_setup.user_in_setup(user_id)
        if user.moved_client_id is None:
            raise NotFound("no client to migrate")
        return user, user.moved_client_id
