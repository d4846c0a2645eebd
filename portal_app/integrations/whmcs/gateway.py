"""What the portal asks of WHMCS, in the portal's words: implements BillingGateway."""

from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import urlsplit

from portal_app.domain.billing.invoice import (
    CreditEntry,
    Invoice,
    InvoicePage,
    InvoiceStatus,
    PaymentGateway,
    PaymentMethod,
    Transaction,
)
from portal_app.domain.errors import ExternalRejected, NotFound
from portal_app.domain.money import Money
from portal_app.domain.orders.order import OrderLine
from portal_app.domain.ports.billing import BillingClient, BillingOrder
from portal_app.domain.profile.customer import Profile
from portal_app.domain.subscriptions.subscription import Cancellation, Subscription
from portal_app.infra.settings import Settings
from portal_app.integrations.whmcs.client import VENDOR, WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.encoding import FormValue, php_packed
from portal_app.integrations.whmcs.fields import number, rows, text
from portal_app.integrations.whmcs.invoices import WHMCSInvoices
from portal_app.integrations.whmcs.orders import WHMCSOrders
from portal_app.integrations.whmcs.payments import WHMCSPayments
from portal_app.integrations.whmcs.reading import not_found_when, understood
from portal_app.integrations.whmcs.schemas import client_of, prices_of
from portal_app.integrations.whmcs.service_fields import WHMCSServiceFields
from portal_app.integrations.whmcs.services import WHMCSServices


class WHMCSGateway:
    """One WHMCS installation. No action there checks whose record it is, so the owner is compared here."""

    def __init__(self, client: WHMCSClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._invoices = WHMCSInvoices(client, settings)
        self._payments = WHMCSPayments(client, settings)
        self._services = WHMCSServices(client, settings)
        self._service_fields = WHMCSServiceFields(client)
        self._orders = WHMCSOrders(client, settings, self._services)
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

    async def invoices(self, client_id: int) -> list[Invoice]:
        """Return all invoices of a client, newest first, drafts left out."""
        return await self._invoices.all(client_id)

    async def invoice_page(
        self, client_id: int, *, status: InvoiceStatus | Literal["overdue"] | None = None, start: int, count: int
    ) -> InvoicePage:
        """Return some of a client's invoices, newest first, from an offset."""
        return await self._invoices.page(client_id, status=status, start=start, count=count)

    async def invoice(self, client_id: int, invoice_id: int) -> Invoice:
        """Return one invoice with lines and payments. Raises NotFound, also for another client's and for drafts."""
        return await self._invoices.one(client_id, invoice_id)

    async def invoice_of_anyone(self, invoice_id: int) -> Invoice:
        """Return an invoice whosever it is, drafts too: for events, never for a customer. Raises NotFound."""
        return await self._invoices.of_anyone(invoice_id)

    async def transactions(self, client_id: int) -> list[Transaction]:
        """Return all payments and refunds of a client, newest first."""
        return await self._payments.transactions(client_id)

    async def credits(self, client_id: int) -> list[CreditEntry]:
        """Return all changes of a client's credit, newest first. Raises NotFound."""
        return await self._payments.credits(client_id)

    async def gateways(self) -> list[PaymentGateway]:
        """Return the gateways that are switched on."""
        return await self._payments.gateways()

    async def payment_methods(self, client_id: int) -> list[PaymentMethod]:
        """Return the stored cards and banks of a client, without their tokens."""
        return await self._payments.methods(client_id)

    async def set_default_payment_method(self, client_id: int, method_id: int) -> None:
        """Make a stored method the one to charge. Raises NotFound."""
        await self._payments.set_default(client_id, method_id)

    async def remove_payment_method(self, client_id: int, method_id: int) -> None:
        """Delete a stored method. Raises NotFound, also when it is gone already."""
        await self._payments.remove(client_id, method_id)

    async def subscriptions(self, client_id: int) -> list[Subscription]:
        """Return all services of a client."""
        return await self._services.all(client_id)

    async def subscription(self, client_id: int, service_id: int) -> Subscription:
        """Return one service. Raises NotFound, also for another client's."""
        return await self._services.one(client_id, service_id)

    async def service_owner(self, service_id: int) -> int:
        """Return the client a service belongs to: for events, never for a customer. Raises NotFound."""
        return await self._services.owner(service_id)

    async def order_owner(self, order_id: int) -> int:
        """Return the client an order belongs to: for events, never for a customer. Raises NotFound."""
        return await self._orders.owner(order_id)

    async def request_cancellation(self, client_id: int, service_id: int, *, reason: str, at_period_end: bool) -> None:
        """Ask for the end of a client's own service; asked for already is fine. Raises NotFound."""
        await self._services.request_cancellation(client_id, service_id, reason=reason, at_period_end=at_period_end)

    async def cancellations(self) -> dict[int, Cancellation]:
        """Return every cancellation request of this installation, by service."""
        return await self._services.cancellations()

    async def find_order(self, client_id: int, reference: str) -> BillingOrder | None:
        """Look an order up by our reference, or None."""
        return await self._orders.find(client_id, reference)

    async def add_order(self, client_id: int, lines: Sequence[OrderLine], *, reference: str) -> BillingOrder:
        """Place an order for the lines with a WHMCS product; look `find_order` up before a second call."""
        return await self._orders.add(client_id, lines, reference=reference)

    async def accept_order(self, order_id: int) -> None:
        """Accept a pending order; accepting an active one again is no error, so a lost answer may be repeated."""
        await self._orders.accept(order_id)

    async def order_status(self, order_id: int) -> str:
        """Return an order's status in WHMCS's word."""
        return await self._orders.status(order_id)

    async def cancel_order(self, order_id: int) -> None:
        """Cancel a pending order; a cancelled one is fine."""
        await self._orders.cancel(order_id)

    async def set_service_fields(self, client_id: int, service_id: int, fields: Mapping[str, str]) -> None:
        """Write custom fields of a service by their names. Raises NotFound, also for another client's."""
        await self._service_fields.write(client_id, service_id, fields)

    async def service_field(self, client_id: int, service_id: int, name: str) -> str:
        """Return one custom field of a service, empty where it has none. Raises NotFound."""
        return await self._service_fields.read(client_id, service_id, name)

    async def product_prices(self) -> dict[int, dict[str, Money]]:
        """Return product id -> billing cycle -> price."""
        body = await self._client.call("GetProducts", {}, safe=True)
        with understood("GetProducts"):
            products = rows(body, "products", "product")
            return {number(row, "pid"): prices_of(row, self._settings.whmcs_currency) for row in products}

    async def sign_on_link(self, client_id: int, path: str) -> str:
        """Return a single-use link (60 s). Raises ValueError for a path that is not relative."""
        place = _relative(path)
        wanted: dict[str, FormValue] = {
            "client_id": client_id,
            "destination": "sso:custom_redirect",
            "sso_redirect_path": place,
        }
        try:
            with not_found_when("Invalid client_id"):
                body = await self._client.call("CreateSsoToken", wanted, safe=True)
        except WHMCSRejected as error:
            if error.message.startswith("SSO authentication blocked"):
                error.user_message = "Signing in from here is switched off in your billing account's security settings."
            raise
        link = str(body.get("redirect_url", ""))
        if _origin(link) != _origin(self._settings.whmcs_url):
            raise ExternalRejected("CreateSsoToken: the link leads elsewhere", vendor=VENDOR)
        return link

    async def _details(self, which: dict[str, FormValue]) -> BillingClient:
        with not_found_when("Client Not Found"):
            body = await self._client.call("GetClientsDetails", which, safe=True)
        with understood("GetClientsDetails"):
            own = self._settings
            return client_of(body, number_field=own.whmcs_customer_number_field, currency=own.whmcs_currency)

    async def _client_currency(self) -> int:
        """Look our currency's id up once; clients are created with an id, everything else speaks codes."""
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


def _relative(path: str) -> str:
    place = path.removeprefix("/")
    parts = urlsplit(place)
    if parts.scheme or parts.netloc or place.startswith(("/", "\\")) or any(ord(sign) < 33 for sign in place):
        raise ValueError("not a relative path")
    return place


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()
