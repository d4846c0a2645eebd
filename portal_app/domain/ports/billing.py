"""What WHMCS bills, as services see it: invoices, payment methods, services, orders and prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from portal_app.domain.billing.credit import Credit
from portal_app.domain.billing.invoice import Invoice, PaymentGateway, PaymentMethod, Transaction
from portal_app.domain.money import Money
from portal_app.domain.orders.order import OrderLine
from portal_app.domain.subscriptions.subscription import Cancellation, Subscription


@dataclass(frozen=True, slots=True)
class BillingOrder:
    """What WHMCS made of an order. `invoice_id` is None where nothing was to be billed."""

    order_id: int
    service_ids: tuple[int, ...]
    invoice_id: int | None


class InvoiceGateway(Protocol):
    """Invoices at WHMCS."""

    async def invoices(self, client_id: int) -> list[Invoice]:
        """Return all invoices of a client, newest first, drafts left out; no lines, no balance."""

    async def invoice(self, client_id: int, invoice_id: int) -> Invoice:
        """Return one invoice with lines and payments. Raises NotFound, also for another client's."""

    async def invoice_of_anyone(self, invoice_id: int) -> Invoice:
        """Return an invoice whosever it is, drafts too: for events, never for a customer. Raises NotFound."""


class PaymentMethodGateway(Protocol):
    """What clients of WHMCS paid, and with what."""

    async def payment_methods(self, client_id: int) -> list[PaymentMethod]:
        """Return the stored cards and banks of a client."""

    async def set_default_payment_method(self, client_id: int, method_id: int) -> None:
        """Make a stored card or bank the one to charge. Safe to repeat. Raises NotFound, also for another client's."""

    async def remove_payment_method(self, client_id: int, method_id: int) -> None:
        """Delete a stored card or bank. Raises NotFound, also when it is gone already or another client's."""

    async def gateways(self) -> list[PaymentGateway]:
        """Return the ways to pay that are switched on."""

    async def transactions(self, client_id: int) -> list[Transaction]:
        """Return all payments and refunds of a client, newest first."""

    async def credit(self, client_id: int) -> Credit:
        """Return what is left of a client's credit, and all its changes, newest first. Raises NotFound."""


class SubscriptionGateway(Protocol):
    """Services at WHMCS: the subscriptions of the portal."""

    async def subscriptions(self, client_id: int) -> list[Subscription]:
        """Return all services of a client."""

    async def subscription(self, client_id: int, service_id: int) -> Subscription:
        """Return one service. Raises NotFound, also for another client's."""

    async def service_owner(self, service_id: int) -> int:
        """Return the client a service belongs to: for events, never for a customer. Raises NotFound."""

    async def request_cancellation(self, client_id: int, service_id: int, *, reason: str, at_period_end: bool) -> None:
        """Ask WHMCS to end a service; nothing withdraws it. One asked for already is no error, so a lost answer may
        be repeated. Raises NotFound, also for another client's service.
        """

    async def cancellations(self) -> dict[int, Cancellation]:
        """Return every request WHMCS holds, of all clients, by service; WHMCS cannot narrow them down."""

    async def set_service_fields(self, client_id: int, service_id: int, fields: Mapping[str, str]) -> None:
        """Write custom fields of a service by their names; names its product lacks are left out. Safe to repeat.

        Raises NotFound, also for another client's service.
        """
        ...

    async def change_product(self, client_id: int, service_id: int, *, product_id: int, recurring: Money) -> None:
        """Have a service be of another product at a price from its next invoice on. Safe to repeat.

        Nothing is prorated and no invoice changes. Raises NotFound, also for another client's service.
        """
        ...

    async def service_fields(self, client_id: int, service_id: int, names: Sequence[str]) -> dict[str, str]:
        """Return custom fields of a service by their names, in one call; empty where it has none.

        Raises NotFound, also for another client's service.
        """
        ...

    async def service_field(self, client_id: int, service_id: int, name: str) -> str:
        """Return one custom field of a service, empty where it has none. Raises NotFound, also for another client's."""


class WhmcsOrderGateway(Protocol):
    """Orders at WHMCS."""

    async def find_order(self, client_id: int, reference: str) -> BillingOrder | None:
        """Look an order up by our reference (a product custom field), or None."""

    async def add_order(self, client_id: int, lines: Sequence[OrderLine], *, reference: str) -> BillingOrder:
        """Place an order for lines with a WHMCS product. Never repeated blindly: see `find_order`."""

    async def accept_order(self, order_id: int) -> None:
        """Accept a pending order, which sets its services up; accepting an active one again is no error."""

    async def order_status(self, order_id: int) -> str:
        """Return an order's status in WHMCS's word: Pending, Active, Cancelled. Raises ExternalRejected for none."""

    async def cancel_order(self, order_id: int) -> None:
        """Cancel a pending order with its unpaid invoice; a cancelled one is fine."""

    async def order_owner(self, order_id: int) -> int:
        """Return the client an order belongs to: for events, never for a customer. Raises NotFound."""


class ProductPriceGateway(Protocol):
    """Products at WHMCS."""

    async def product_prices(self) -> dict[int, dict[str, Money]]:
        """Return product id -> billing cycle -> price, for comparing with the catalogue."""


class RecordVendors(Protocol):
    """The gateways that name the owner of a record an event is about."""

    @property
    def invoices(self) -> InvoiceGateway: ...

    @property
    def subscriptions(self) -> SubscriptionGateway: ...

    @property
    def whmcs_orders(self) -> WhmcsOrderGateway: ...
