"""What WHMCS says has changed: read again, kept, and shown on open pages. The event is a hint, never the truth."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from portal_app.domain.errors import NotFound
from portal_app.domain.inbound_event import InboundEvent
from portal_app.domain.ports.billing import RecordVendors
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.user import IdMapping
from portal_app.services.billing.invoice_mirror import InvoiceMirrorWriter
from portal_app.services.billing.invoices import Billing
from portal_app.services.billing.payment_methods import Payments
from portal_app.services.inbound.whmcs_hooks import HOOKS, Touched
from portal_app.services.subscriptions.subscriptions import Subscriptions


class BillingChanges:
    """Apply the events of the WHMCS bridge; runs in the worker, which sees every customer's rows."""

    def __init__(
        self,
        database: Database,
        vendors: RecordVendors,
        *,
        billing: Billing,
        payments: Payments,
        subscriptions: Subscriptions,
        live: LiveUpdates,
    ) -> None:
        self._database = database
        self._vendors = vendors
        self._billing = billing
        self._payments = payments
        self._subscriptions = subscriptions
        self._live = live
        self._keeper = InvoiceMirrorWriter(database)

    async def apply(self, event: InboundEvent) -> list[str]:
        """Read again what an event touches, for everybody it touches; open pages are told where it was news.

        Return the users whose payment methods it touched. Raises as the gateway does; safe to repeat, in any order.
        """
        touched = HOOKS.get(event.kind)
        if touched is None:
            return []
        customers = await self._customers(event)
        for customer in customers:
            is_news = await self._read_again(customer, touched, event)
            if is_news:
                await self._live.publish(Change(customer.user_id, "billing", str(event.data.get("invoice_id", ""))))
        return [str(customer.user_id) for customer in customers] if "methods" in touched else []

    async def _read_again(self, customer: Customer, touched: Touched, event: InboundEvent) -> bool:
        is_news = "methods" in touched and await self._payments.methods_changed(customer)
        if "invoices" in touched:
            is_news |= await self._billing.freshness.read(customer)
        elif "invoice" in touched:
            for invoice_id in event.numbers("invoice_id", "new_invoice_id"):
                is_news |= await self._billing.read_invoice_again(customer, invoice_id)
        if "services" in touched:
            is_news |= await self._subscriptions.freshness.read(customer)
        if "money" in touched:
            is_news |= await self._payments.money_changed(customer)
        return is_news

    async def _customers(self, event: InboundEvent) -> list[Customer]:
        """Return everybody an event is about: whom WHMCS names as owner, and whose mirrors hold the thing still."""
        clients = set(event.numbers("client_id", "merged_client_id"))
        users: set[UUID] = set()
        for invoice_id in event.numbers("invoice_id", "new_invoice_id"):
            clients |= await _owner(self._vendors.invoices.invoice_owner, invoice_id)
            users |= set(await self._keeper.owners(invoice_id))
        for service_id in event.numbers("service_id"):
            clients |= set() if clients else await _owner(self._vendors.subscriptions.service_owner, service_id)
            users |= set(await self._subscriptions.mirror.owners(service_id=service_id))
        for order_id in event.numbers("order_id"):
            clients |= set() if clients else await _owner(self._vendors.whmcs_orders.order_owner, order_id)
            users |= set(await self._subscriptions.mirror.owners(order_id=order_id))
        async with self._database.unit_of_work() as session:
            found = [await IdMapping.by_client(session, client_id) for client_id in clients]
            found += [await session.get(IdMapping, user_id) for user_id in users]
        return list({mapping.user_id: mapping.to_domain() for mapping in found if mapping}.values())


async def _owner(ask: Callable[[int], Awaitable[int]], number: int) -> set[int]:
    try:
        return {await ask(number)}
    except NotFound:
        return set()
