"""Services at WHMCS, their custom fields and cancellation requests: implements SubscriptionGateway."""

from collections.abc import Mapping, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from portal_app.domain.errors import NotFound
from portal_app.domain.money import Money
from portal_app.domain.ports.listing import Listing
from portal_app.domain.subscriptions.subscription import Cancellation, Subscription
from portal_app.infra.settings import Settings
from portal_app.integrations.whmcs.client import WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.encoding import FormValue, PhpValue, php_packed
from portal_app.integrations.whmcs.fields import Row, names_id, number
from portal_app.integrations.whmcs.reading import all_rows, not_found_when, read_each, understood
from portal_app.integrations.whmcs.schemas import cancellation_of, field_id_of, field_value_of, subscription_of

_ASKED_ALREADY = "existing cancellation request exists"


class WHMCSServices:
    """Read, change and cancel services. WHMCS does not check whose a service is, so it is looked up first."""

    def __init__(self, client: WHMCSClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._zone = ZoneInfo(settings.whmcs_timezone)
        names = settings.whmcs_shown_fields.split(",")
        self._shown = frozenset(name.strip().casefold() for name in names if name.strip())

    async def subscriptions(self, client_id: int) -> list[Subscription]:
        """Return all services of a client, without rows of other clients; unreadable ones are named in the listing."""
        read = read_each(await self.rows({"clientid": client_id}), self._parse, action="GetClientsProducts")
        own = Listing(service for service in read if service.client_id == client_id)
        own.unreadable = read.unreadable
        return own

    async def subscription(self, client_id: int, service_id: int) -> Subscription:
        """Return one service. Raises NotFound, also for another client's."""
        row = await self._own_row(client_id, service_id)
        with understood("GetClientsProducts", row_id=service_id):
            return self._parse(row)

    async def service_owner(self, service_id: int) -> int:
        """Return the client a service belongs to. Raises NotFound."""
        for row in await self.rows({"serviceid": service_id}):
            if names_id(row, "id", service_id):
                with understood("GetClientsProducts"):
                    return number(row, "clientid")
        raise NotFound(f"GetClientsProducts: no service {service_id}")

    async def request_cancellation(self, client_id: int, service_id: int, *, reason: str, at_period_end: bool) -> None:
        """Ask for the end of a client's own service; asked for already is fine. Raises NotFound."""
        await self._own_row(client_id, service_id)
        kind = "End of Billing Period" if at_period_end else "Immediate"
        request: dict[str, FormValue] = {"serviceid": service_id, "type": kind, "reason": reason}
        try:
            with not_found_when("Service ID Not Found"):
                await self._client.call("AddCancelRequest", request, safe=False)
        except WHMCSRejected as error:
            if error.message.casefold() != _ASKED_ALREADY:
                raise

    async def cancellations(self) -> dict[int, Cancellation]:
        """Return the newest request of every service of this installation."""
        found: list[Row] = await all_rows(
            self._client, "GetCancelledPackages", {}, plural="packages", singular="package"
        )
        read = read_each(found, partial(cancellation_of, zone=self._zone), action="GetCancelledPackages")
        return {request.service_id: request for request in read}

    async def set_service_fields(self, client_id: int, service_id: int, fields: Mapping[str, str]) -> None:
        """Write custom fields by name; names the product lacks are left out. Raises NotFound."""
        row = await self._own_row(client_id, service_id)
        with understood("GetClientsProducts"):
            found = {name: field_id_of(row, name) for name in fields}
        values: dict[str | int, PhpValue] = {field: fields[name] for name, field in found.items() if field is not None}
        if values:
            changed: dict[str, FormValue] = {"serviceid": service_id, "customfields": php_packed(values)}
            await self._client.call("UpdateClientProduct", changed, safe=True)

    async def change_product(self, client_id: int, service_id: int, *, product_id: int, recurring: Money) -> None:
        """Write product and price; UpgradeProduct would prorate at once. Raises NotFound."""
        await self._own_row(client_id, service_id)
        wanted: dict[str, FormValue] = {
            "serviceid": service_id,
            "pid": product_id,
            "recurringamount": str(recurring.minor),
        }
        await self._client.call("UpdateClientProduct", wanted, safe=True)

    async def service_fields(self, client_id: int, service_id: int, names: Sequence[str]) -> dict[str, str]:
        """Return custom fields by name, empty where the service has none. Raises NotFound."""
        row = await self._own_row(client_id, service_id)
        with understood("GetClientsProducts"):
            return {name: field_value_of(row, name) for name in names}

    async def service_field(self, client_id: int, service_id: int, name: str) -> str:
        """Return one custom field, empty where the service has none. Raises NotFound."""
        row = await self._own_row(client_id, service_id)
        with understood("GetClientsProducts"):
            return field_value_of(row, name)

    async def _own_row(self, client_id: int, service_id: int) -> Row:
        for row in await self.rows({"clientid": client_id, "serviceid": service_id}):
            if names_id(row, "clientid", client_id) and names_id(row, "id", service_id):
                return row
        raise NotFound("GetClientsProducts: not this client's")

    async def rows(self, which: dict[str, FormValue]) -> list[Row]:
        """Return rows of GetClientsProducts as they came, for readers of single fields."""
        return await all_rows(self._client, "GetClientsProducts", which, plural="products", singular="product")

    def _parse(self, row: Row) -> Subscription:
        own = self._settings
        return subscription_of(
            row, currency=own.whmcs_currency, reference_field=own.whmcs_reference_field, shown=self._shown
        )
