"""Custom fields of a service at WHMCS, by their names."""

from collections.abc import Mapping

from portal_app.domain.errors import NotFound
from portal_app.integrations.whmcs.client import WHMCSClient
from portal_app.integrations.whmcs.encoding import FormValue, PhpValue, php_packed
from portal_app.integrations.whmcs.fields import Row, number
from portal_app.integrations.whmcs.reading import all_rows, understood
from portal_app.integrations.whmcs.schemas import field_id_of, field_value_of


class WHMCSServiceFields:
    """Read and write them. WHMCS does not check whose a service is, so it is looked up first."""

    def __init__(self, client: WHMCSClient) -> None:
        self._client = client

    async def write(self, client_id: int, service_id: int, fields: Mapping[str, str]) -> None:
        """Write fields by name; names the product lacks are left out. Raises NotFound."""
        row = await self._own(client_id, service_id)
        with understood("GetClientsProducts"):
            found = {name: field_id_of(row, name) for name in fields}
        values: dict[str | int, PhpValue] = {field: fields[name] for name, field in found.items() if field is not None}
        if values:
            changed: dict[str, FormValue] = {"serviceid": service_id, "customfields": php_packed(values)}
            await self._client.call("UpdateClientProduct", changed, safe=True)

    async def read(self, client_id: int, service_id: int, name: str) -> str:
        """Return one field, empty where the service has none. Raises NotFound."""
        row = await self._own(client_id, service_id)
        with understood("GetClientsProducts"):
            return field_value_of(row, name)

    async def _own(self, client_id: int, service_id: int) -> Row:
        which: dict[str, FormValue] = {"clientid": client_id, "serviceid": service_id}
        for row in await all_rows(self._client, "GetClientsProducts", which, plural="products", singular="product"):
            with understood("GetClientsProducts"):
                if (number(row, "clientid"), number(row, "id")) == (client_id, service_id):
                    return row
        raise NotFound("GetClientsProducts: not this client's")
