"""Services at WHMCS: what a client has, and the wish to end it."""

from zoneinfo import ZoneInfo

from portal_app.domain.errors import NotFound
from portal_app.domain.subscriptions.subscription import Cancellation, Subscription
from portal_app.infra.settings import Settings
from portal_app.integrations.whmcs.client import WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.encoding import FormValue
from portal_app.integrations.whmcs.fields import Row
from portal_app.integrations.whmcs.reading import all_rows, not_found_when, understood
from portal_app.integrations.whmcs.schemas import cancellation_of, subscription_of

_ASKED_ALREADY = "existing cancellation request exists"


class WHMCSServices:
    """Read services and ask for their end. WHMCS does not check whose a service is, so it is looked up first."""

    def __init__(self, client: WHMCSClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._zone = ZoneInfo(settings.whmcs_timezone)
        names = settings.whmcs_shown_fields.split(",")
        self._shown = frozenset(name.strip().casefold() for name in names if name.strip())

    async def all(self, client_id: int) -> list[Subscription]:
        """Return all services of a client; rows of anybody else are left out."""
        found = await self._read({"clientid": client_id})
        return [service for service in found if service.client_id == client_id]

    async def one(self, client_id: int, service_id: int) -> Subscription:
        """Return one service. Raises NotFound, also for another client's."""
        found = await self._read({"clientid": client_id, "serviceid": service_id})
        for service in found:
            if (service.client_id, service.id) == (client_id, service_id):
                return service
        raise NotFound("GetClientsProducts: not this client's")

    async def owner(self, service_id: int) -> int:
        """Return the client a service belongs to. Raises NotFound."""
        for service in await self._read({"serviceid": service_id}):
            if service.id == service_id:
                return service.client_id
        raise NotFound(f"GetClientsProducts: no service {service_id}")

    async def request_cancellation(self, client_id: int, service_id: int, *, reason: str, at_period_end: bool) -> None:
        """Ask for the end of a client's own service; asked for already is fine. Raises NotFound."""
        await self.one(client_id, service_id)
        kind = "End of Billing Period" if at_period_end else "Immediate"
        wish: dict[str, FormValue] = {"serviceid": service_id, "type": kind, "reason": reason}
        try:
            with not_found_when("Service ID Not Found"):
                await self._client.call("AddCancelRequest", wish, safe=False)
        except WHMCSRejected as error:
            if error.message.casefold() != _ASKED_ALREADY:
                raise

    async def cancellations(self) -> dict[int, Cancellation]:
        """Return the newest request of every service of this installation."""
        found: list[Row] = await all_rows(
            self._client, "GetCancelledPackages", {}, plural="packages", singular="package"
        )
        with understood("GetCancelledPackages"):
            read = [cancellation_of(row, zone=self._zone) for row in found]
        return {wish.service_id: wish for wish in read}

    async def _read(self, which: dict[str, FormValue]) -> list[Subscription]:
        found = await all_rows(self._client, "GetClientsProducts", which, plural="products", singular="product")
        own = self._settings
        with understood("GetClientsProducts"):
            return [
                subscription_of(
                    row, currency=own.whmcs_currency, reference_field=own.whmcs_reference_field, shown=self._shown
                )
                for row in found
            ]
