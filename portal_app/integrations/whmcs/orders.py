"""Orders at WHMCS, found again by our reference in a product custom field: implements WhmcsOrderGateway."""

from collections.abc import Sequence

from portal_app.domain.errors import ExternalRejected, NotFound
from portal_app.domain.orders.order import OrderLine
from portal_app.domain.ports.billing import BillingOrder
from portal_app.infra.settings import Settings
from portal_app.integrations.whmcs.client import VENDOR, WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.encoding import php_packed
from portal_app.integrations.whmcs.fields import Row, names_id, number, number_or_none, rows, text
from portal_app.integrations.whmcs.reading import understood
from portal_app.integrations.whmcs.schemas import field_id_of, field_value_of, new_order_of
from portal_app.integrations.whmcs.services import WHMCSServices

_NOT_PENDING = "order id not found or status not pending"


class WHMCSOrders:
    """Place, find and accept orders. AddOrder has neither an idempotency key nor a notes input."""

    def __init__(self, client: WHMCSClient, settings: Settings, services: WHMCSServices) -> None:
        self._client = client
        self._settings = settings
        self._services = services
        self._field_ids: dict[int, int] = {}

    async def find_order(self, client_id: int, reference: str) -> BillingOrder | None:
        """Look an order up by our reference, with its invoice."""
        # Only the fields that are needed are read: a price that cannot be read must not hide an order that was placed.
        field = self._settings.whmcs_reference_field
        rows_of_client = await self._services.rows({"clientid": client_id})
        own_rows = [row for row in rows_of_client if names_id(row, "clientid", client_id)]
        ours = next((row for row in own_rows if field_value_of(row, field) == reference), None)
        if not reference or ours is None:
            return None
        with understood("GetClientsProducts"):
            order_id = number(ours, "orderid")
            own = tuple(sorted(number(row, "id") for row in own_rows if names_id(row, "orderid", order_id)))
        row = await self._order(order_id)
        with understood("GetOrders"):
            return BillingOrder(order_id, own, number_or_none(row, "invoiceid"))

    async def add_order(self, client_id: int, lines: Sequence[OrderLine], *, reference: str) -> BillingOrder:
        """Place an order. Raises ExternalRejected before anything is sent when it could not be found again."""
        billed = [(line.whmcs_product_id, line.cycle) for line in lines if line.whmcs_product_id is not None]
        if not billed:
            raise ExternalRejected("AddOrder: no line has a WHMCS product", vendor=VENDOR)
        products = [product for product, _ in billed]
        fields = await self._reference_fields(products)
        own = self._settings
        answer = await self._client.call(
            "AddOrder",
            {
                "clientid": client_id,
                "paymentmethod": own.whmcs_payment_method,
                "pid": products,
                "billingcycle": [cycle for _, cycle in billed],
                "customfields": [php_packed({fields[pid]: reference} if pid in fields else {}) for pid in products],
                "noinvoice": own.whmcs_order_no_invoice,
                "noinvoiceemail": True,
                "noemail": True,
            },
            safe=False,
        )
        with understood("AddOrder", written=True):
            return new_order_of(answer)

    async def accept_order(self, order_id: int) -> None:
        """Accept an order and set its services up; one that is Active already is fine."""
        try:
            await self._client.call(
                "AcceptOrder", {"orderid": order_id, "autosetup": True, "sendemail": False}, safe=False
            )
        except WHMCSRejected as error:
            if _NOT_PENDING not in error.message.lower():
                raise
            if text(await self._order(order_id), "status") != "Active":
                raise

    async def order_status(self, order_id: int) -> str:
        """Return an order's status in WHMCS's word."""
        return text(await self._order(order_id), "status")

    async def cancel_order(self, order_id: int) -> None:
        """Cancel a pending order; a cancelled one is fine."""
        if await self.order_status(order_id) != "Cancelled":
            await self._client.call("CancelOrder", {"orderid": order_id, "noemail": True}, safe=False)

    async def order_owner(self, order_id: int) -> int:
        """Return the client an order belongs to. Raises NotFound."""
        row = await self._found(order_id)
        if row is None:
            raise NotFound(f"GetOrders: no order {order_id}")
        with understood("GetOrders"):
            return number(row, "userid")

    async def _order(self, order_id: int) -> Row:
        row = await self._found(order_id)
        if row is None:
            raise ExternalRejected(f"GetOrders: no order {order_id}", vendor=VENDOR)
        return row

    async def _found(self, order_id: int) -> Row | None:
        body = await self._client.call("GetOrders", {"id": order_id}, safe=True)
        found = [row for row in rows(body, "orders", "order") if names_id(row, "id", order_id)]
        return found[0] if found else None

    async def _reference_fields(self, products: Sequence[int]) -> dict[int, int]:
        unknown = sorted(set(products) - self._field_ids.keys())
        if unknown:
            body = await self._client.call("GetProducts", {"pid": ",".join(map(str, unknown))}, safe=True)
            with understood("GetProducts"):
                for row in rows(body, "products", "product"):
                    if (field := field_id_of(row, self._settings.whmcs_reference_field)) is not None:
                        self._field_ids[number(row, "pid")] = field
        fields = {product: self._field_ids[product] for product in products if product in self._field_ids}
        if not fields:
            name = self._settings.whmcs_reference_field
            raise ExternalRejected(f"AddOrder: products {unknown} have no custom field {name!r}", vendor=VENDOR)
        return fields
