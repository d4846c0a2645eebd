"""WHMCS, as services see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from portal_app.domain.billing.invoice import (
    CreditEntry,
    Invoice,
    InvoicePage,
    InvoiceStatus,
    PaymentGateway,
    PaymentMethod,
    Transaction,
)
from portal_app.domain.money import Money
from portal_app.domain.orders.order import OrderLine
from portal_app.domain.profile.customer import Profile
from portal_app.domain.profile.profile import PersonalData, ProfileChange
from portal_app.domain.subscriptions.subscription import Cancellation, Subscription


@dataclass(frozen=True, slots=True)
class BillingClient:
    """A WHMCS client as far as the portal cares; `credit` is what is left of it."""

    id: int
    email: str
    first_name: str
    last_name: str
    phone: str
    status: str
    customer_number: str
    credit: Money


@dataclass(frozen=True, slots=True)
class BillingOrder:
    """What WHMCS made of an order. `invoice_id` is None where nothing was to be billed."""

    order_id: int
    service_ids: tuple[int, ...]
    invoice_id: int | None


class BillingGateway(Protocol):
    """WHMCS: clients, products, orders, services, invoices, payment methods, single sign-on."""

    async def find_client(self, email: str) -> BillingClient | None:
        """Return the client with exactly this e-mail address, or None."""
        ...

    async def client(self, client_id: int) -> BillingClient:
        """Return one client. Raises NotFound."""
        ...

    async def add_client(self, profile: Profile, *, customer_number: str, password: str) -> int:
        """Create a client with our customer number and return its id. Look `find_client` up before a second call."""
        ...

    async def set_client_status(self, client_id: int, status: str) -> None:
        """Set Active or Inactive."""
        ...

    async def invoices(self, client_id: int) -> list[Invoice]:
        """Return all invoices of a client, newest first, drafts left out; no lines, no balance."""
        ...

    async def invoice_page(
        self, client_id: int, *, status: InvoiceStatus | Literal["overdue"] | None = None, start: int, count: int
    ) -> InvoicePage:
        """Return some of a client's invoices, newest first, from an offset; drafts left out."""
        ...

    async def invoice(self, client_id: int, invoice_id: int) -> Invoice:
        """Return one invoice with lines and payments. Raises NotFound, also for another client's."""
        ...

    async def invoice_of_anyone(self, invoice_id: int) -> Invoice:
        """Return an invoice whosever it is, drafts too: for events, never for a customer. Raises NotFound."""
        ...

    async def transactions(self, client_id: int) -> list[Transaction]:
        """Return all payments and refunds of a client, newest first."""
        ...

    async def credits(self, client_id: int) -> list[CreditEntry]:
        """Return all changes of a client's credit, newest first. Raises NotFound."""
        ...

    async def gateways(self) -> list[PaymentGateway]:
        """Return the ways to pay that are switched on."""
        ...

    async def payment_methods(self, client_id: int) -> list[PaymentMethod]:
        """Return the stored cards and banks of a client."""
        ...

    async def set_default_payment_method(self, client_id: int, method_id: int) -> None:
        """Make a stored card or bank the one to charge. Safe to repeat. Raises NotFound, also for another client's."""
        ...

    async def remove_payment_method(self, client_id: int, method_id: int) -> None:
        """Delete a stored card or bank. Raises NotFound, also when it is gone already or another client's."""
        ...

    async def subscriptions(self, client_id: int) -> list[Subscription]:
        """Return all services of a client."""
        ...

    async def subscription(self, client_id: int, service_id: int) -> Subscription:
        """Return one service. Raises NotFound, also for another client's."""
        ...

    async def service_owner(self, service_id: int) -> int:
        """Return the client a service belongs to: for events, never for a customer. Raises NotFound."""
        ...

    async def order_owner(self, order_id: int) -> int:
        """Return the client an order belongs to: for events, never for a customer. Raises NotFound."""
        ...

    async def request_cancellation(self, client_id: int, service_id: int, *, reason: str, at_period_end: bool) -> None:
        """Ask WHMCS to end a service; nothing withdraws it. One asked for already is no error, so a lost answer may
        be repeated. Raises NotFound, also for another client's service.
        """
        ...

    async def cancellations(self) -> dict[int, Cancellation]:
        """Return every request WHMCS holds, of all clients, by service; WHMCS cannot narrow them down."""
        ...

    async def find_order(self, client_id: int, reference: str) -> BillingOrder | None:
        """Look an order up by our reference (a product custom field), or None."""
        ...

    async def add_order(self, client_id: int, lines: Sequence[OrderLine], *, reference: str) -> BillingOrder:
        """Place an order for lines with a WHMCS product. Never repeated blindly: see `find_order`."""
        ...

    async def accept_order(self, order_id: int) -> None:
        """Accept a pending order, which sets its services up; accepting an active one again is no error."""
        ...

    async def order_status(self, order_id: int) -> str:
        """Return an order's status in WHMCS's word: Pending, Active, Cancelled. Raises ExternalRejected for none."""
        ...

    async def cancel_order(self, order_id: int) -> None:
        """Cancel a pending order with its unpaid invoice; a cancelled one is fine."""
        ...

    async def set_service_fields(self, client_id: int, service_id: int, fields: Mapping[str, str]) -> None:
        """Write custom fields of a service by their names; names its product lacks are left out. Safe to repeat.

        Raises NotFound, also for another client's service.
        """
        ...

    async def service_field(self, client_id: int, service_id: int, name: str) -> str:
        """Return one custom field of a service, empty where it has none. Raises NotFound, also for another client's."""
        ...

    async def product_prices(self) -> dict[int, dict[str, Money]]:
        """Return product id -> billing cycle -> price, for comparing with the catalogue."""
        ...

    async def sign_on_link(self, client_id: int, path: str) -> str:
        """Return a single-use link (60 s) that signs the client in at WHMCS and opens a relative path there."""
        ...


class PeopleGateway(Protocol):
    """WHMCS's clients as people: the authority for who a customer is and where they live."""

    async def person(self, client_id: int) -> PersonalData:
        """Return a client's data. Raises NotFound."""
        ...

    async def change(self, client_id: int, change: ProfileChange) -> None:
        """Change a client. Safe to repeat."""
        ...
