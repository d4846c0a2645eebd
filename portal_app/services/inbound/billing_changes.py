"""Changes that WHMCS reports: read again and written to the mirrors; the event itself is only a hint."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from portal_app.domain.billing.invoice import Invoice
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

Found = TypeVar("Found")


@dataclass(slots=True)
class _Affected:
    """Whom an event affects, and the invoices that were read to find out: when the read began, and what it found."""

    clients: set[int]
    users: set[UUID] = field(default_factory=set)
    invoices: dict[int, tuple[datetime, Invoice | None]] = field(default_factory=dict)


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
        self._writer = InvoiceMirrorWriter(database)

    async def apply(self, event: InboundEvent) -> list[str]:
        """Read again what an event affects, for every customer; open pages are told where it was news.

        Return the users whose payment methods it affects. Raises as the gateway does; safe to repeat, in any order.
        """
        touched = HOOKS.get(event.kind)
        if touched is None:
            return []
        affected = await self._affected_by(event)
        customers = await self._customers(affected)
        for customer in customers:
            if await self._read_again(customer, touched, affected):
                await self._live.publish(Change(customer.user_id, "billing", str(event.data.get("invoice_id", ""))))
        return [str(customer.user_id) for customer in customers] if "methods" in touched else []

    async def _read_again(self, customer: Customer, touched: Touched, affected: _Affected) -> bool:
        is_news = "methods" in touched and await self._payments.read_methods_again(customer)
        if "invoices" in touched:
            is_news |= await self._billing.freshness.read(customer)
        elif "invoice" in touched:
            for invoice_id, (asked_at, found) in affected.invoices.items():
                is_news |= await self._billing.write_invoice(customer, invoice_id, found, asked_at=asked_at)
        if "services" in touched:
            is_news |= await self._subscriptions.freshness.read(customer)
        if "money" in touched:
            is_news |= await self._payments.read_money_again(customer)
        return is_news

    async def _affected_by(self, event: InboundEvent) -> _Affected:
        """Return whom WHMCS names as owner, and whose mirrors still hold the thing."""
        found = _Affected(set(event.numbers("client_id", "merged_client_id")))
        for invoice_id in event.numbers("invoice_id", "new_invoice_id"):
            asked_at = await self._billing.freshness.clock()
            invoice = await _unless_missing(self._vendors.invoices.invoice_of_anyone, invoice_id)
            found.invoices[invoice_id] = asked_at, invoice
            found.clients |= {invoice.client_id} if invoice else set()
            found.users |= set(await self._writer.owners(invoice_id))
        for service_id in event.numbers("service_id"):
            owner = (
                None if found.clients else await _unless_missing(self._vendors.subscriptions.service_owner, service_id)
            )
            found.clients |= {owner} if owner is not None else set()
            found.users |= set(await self._subscriptions.mirror.owners(service_id=service_id))
        for order_id in event.numbers("order_id"):
            owner = None if found.clients else await _unless_missing(self._vendors.whmcs_orders.order_owner, order_id)
            found.clients |= {owner} if owner is not None else set()
            found.users |= set(await self._subscriptions.mirror.owners(order_id=order_id))
        return found

    async def _customers(self, affected: _Affected) -> list[Customer]:
        async with self._database.unit_of_work() as session:
            found = [await IdMapping.by_client(session, client_id) for client_id in affected.clients]
            found += [await session.get(IdMapping, user_id) for user_id in affected.users]
        return list({mapping.user_id: mapping.to_domain() for mapping in found if mapping}.values())


async def _unless_missing(ask: Callable[[int], Awaitable[Found]], number: int) -> Found | None:
    try:
        return await ask(number)
    except NotFound:
        return None
