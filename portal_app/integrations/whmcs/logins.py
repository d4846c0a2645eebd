"""WHMCS's users: the people who sign in there and their clients. Implements BillingLogins.

Follows developers.whmcs.com: ValidateLogin, GetUsers, GetClientsDetails, UpdateClient.
"""

from portal_app.domain.ports.whmcs_accounts import BillingLogin
from portal_app.infra.settings import Settings
from portal_app.integrations.throttling.vendor_call import Misconfigured
from portal_app.integrations.whmcs.client import WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.encoding import php_packed
from portal_app.integrations.whmcs.fields import Row, names_id, number, rows, text, truth
from portal_app.integrations.whmcs.reading import all_rows, not_found_when, understood

_WRONG = "email or password invalid"


class WHMCSLogins:
    """Users of one WHMCS installation. ValidateLogin cannot check a second factor, only say that there is one."""

    def __init__(self, client: WHMCSClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    async def find(self, email: str) -> BillingLogin | None:
        """Return the user with exactly this address, whatever its case, or None."""
        for row in await self._users(email):
            with understood("GetUsers"):
                if text(row, "email").casefold() == email.casefold():
                    return _login(row, has_second_factor=False)
        return None

    async def verify_password(self, email: str, password: str) -> BillingLogin | None:
        """Return the user with this address and password, or None."""
        try:
            body = await self._client.call("ValidateLogin", {"email": email, "password2": password}, safe=True)
        except WHMCSRejected as error:
            if error.message.casefold() == _WRONG:
                return None
            raise
        with understood("ValidateLogin"):
            user_id, has_second_factor = number(body, "userid"), truth(body, "twoFactorEnabled")
        for row in await self._users(email):
            with understood("GetUsers"):
                # The list is found by the beginning of an address: only this user counts.
                if names_id(row, "id", user_id) and text(row, "email").casefold() == email.casefold():
                    return _login(row, has_second_factor=has_second_factor)
        return None

    async def set_customer_number(self, client_id: int, number: str) -> None:
        """Write the customer number into a client. Raises NotFound."""
        fields = php_packed({self._settings.whmcs_customer_number_field: number})
        with not_found_when("Client ID Not Found"):
            await self._client.call("UpdateClient", {"clientid": client_id, "customfields": fields}, safe=True)

    async def _users(self, email: str) -> list[Row]:
        try:
            return await all_rows(self._client, "GetUsers", {"search": email}, plural="users", singular="user")
        except Misconfigured:
            # Many API roles lack GetUsers; the client with the same address lists its users too.
            return await self._users_of_client(email)

    async def _users_of_client(self, email: str) -> list[Row]:
        try:
            body = await self._client.call("GetClientsDetails", {"email": email}, safe=True)
        except WHMCSRejected as error:
            if error.message.casefold() == "client not found":
                return []
            raise
        inner = body.get("client")
        client: Row = inner if isinstance(inner, dict) else body
        with understood("GetClientsDetails"):
            client_id = number(client, "id" if "id" in client else "userid")
            people = client.get("users")
            return [
                {**row, "clients": [{"id": client_id, "isOwner": row.get("is_owner", False)}]}
                for row in rows(people if isinstance(people, dict) else {}, "user")
            ]


def _login(row: Row, *, has_second_factor: bool) -> BillingLogin:
    clients = [(number(each, "id"), truth(each, "isOwner")) for each in rows(row, "clients", "client")]
    return BillingLogin(
        user_id=number(row, "id"),
        email=text(row, "email"),
        has_second_factor=has_second_factor,
        owned=tuple(client for client, is_owner in clients if is_owner),
        others=tuple(client for client, is_owner in clients if not is_owner),
    )
