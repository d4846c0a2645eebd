"""Products at WHMCS: implements ProductPriceGateway."""

from portal_app.domain.money import Money
from portal_app.infra.settings import Settings
from portal_app.integrations.whmcs.client import WHMCSClient
from portal_app.integrations.whmcs.fields import Row, number, rows
from portal_app.integrations.whmcs.reading import read_each
from portal_app.integrations.whmcs.schemas import prices_of


class WHMCSProducts:
    """Read what products cost (GetProducts)."""

    def __init__(self, client: WHMCSClient, settings: Settings) -> None:
        self._client = client
        self._currency = settings.whmcs_currency

    async def product_prices(self) -> dict[int, dict[str, Money]]:
        """Return product id -> billing cycle -> price; a product whose price cannot be read has none."""
        body = await self._client.call("GetProducts", {}, safe=True)
        products = rows(body, "products", "product")
        return dict(read_each(products, self._prices_of, action="GetProducts", id_name="pid"))

    def _prices_of(self, row: Row) -> tuple[int, dict[str, Money]]:
        return number(row, "pid"), prices_of(row, self._currency)
