"""Clients at WHMCS: implements ClientGateway."""

from portal_app.domain.errors import ExternalRejected, NotFound
from portal_app.domain.ports.clients import BillingClient
from portal_app.domain.profile.customer import Profile
from portal_app.infra.settings import Settings
from portal_app.integrations.whmcs.client import VENDOR, WHMCSClient
from portal_app.integrations.whmcs.encoding import FormValue, php_packed
from portal_app.integrations.whmcs.fields import number, rows, text
from portal_app.integrations.whmcs.reading import not_found_when, understood
from portal_app.integrations.whmcs.schemas import client_of


class WHMCSClientRecords:
    """Find, create and change clients. WHMCS may return another client than was asked for, so ids are compared."""

    def __init__(self, client: WHMCSClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._currency_id: int | None = None

    async def find_client(self, email: str) -> BillingClient | None:
        """Return the client with exactly this e-mail address, or None."""
        try:
            found = await self._details({"email": email})
        except NotFound:
            return None
        return found if found.email.casefold() == email.casefold() else None

    async def client(self, client_id: int) -> BillingClient:
        """Return one client. Raises NotFound."""
        found = await self._details({"clientid": client_id})
        if found.id != client_id:
            raise NotFound("GetClientsDetails: another client")
        return found

    async def add_client(self, profile: Profile, *, customer_number: str, password: str) -> int:
        """Create a client with our customer number and return its id."""
        currency = await self._client_currency()
        body = await self._client.call(
            "AddClient",
            {
                **_person(profile),
                "currency": currency,
                "language": "english",
                "password2": password,
                "customfields": php_packed({self._settings.whmcs_customer_number_field: customer_number}),
                "noemail": True,
            },
            safe=False,
        )
        with understood("AddClient", written=True):
            return number(body, "clientid")

    async def set_client_status(self, client_id: int, status: str) -> None:
        """Set Active or Inactive. Raises NotFound."""
        with not_found_when("Client ID Not Found"):
            await self._client.call("UpdateClient", {"clientid": client_id, "status": status}, safe=True)

    async def _details(self, which: dict[str, FormValue]) -> BillingClient:
        with not_found_when("Client Not Found"):
            body = await self._client.call("GetClientsDetails", which, safe=True)
        with understood("GetClientsDetails"):
            own = self._settings
            return client_of(body, number_field=own.whmcs_customer_number_field, currency=own.whmcs_currency)

    async def _client_currency(self) -> int:
        """Return the id of our currency, read once: AddClient takes an id, every other action a code."""
        if self._currency_id is None:
            body = await self._client.call("GetCurrencies", {}, safe=True)
            code = self._settings.whmcs_currency
            with understood("GetCurrencies"):
                ids = [number(row, "id") for row in rows(body, "currencies", "currency") if text(row, "code") == code]
            if not ids:
                raise ExternalRejected(f"GetCurrencies: no currency {code}", vendor=VENDOR)
            self._currency_id = ids[0]
        return self._currency_id


def _person(profile: Profile) -> dict[str, FormValue]:
    first_line, second_line = profile.address.romanised_lines()
    return {
        "firstname": profile.first_name,
        "lastname": profile.last_name,
        "email": profile.email,
        "address1": first_line,
        "address2": second_line,
        "city": profile.address.city_romanised,
        "state": profile.address.prefecture_romanised,
        "postcode": profile.address.postcode,
        "country": "JP",
        "phonenumber": profile.phone,
    }
