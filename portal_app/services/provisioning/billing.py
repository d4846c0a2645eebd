"""Billing an order: placed and accepted at WHMCS once, recorded in Salesforce, announced."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.domain.identifiers import step_reference
from portal_app.domain.ports.billing import BillingOrder
from portal_app.domain.ports.fulfilment import FulfillingVendors
from portal_app.infra.clock import now
from portal_app.infra.settings import Settings
from portal_app.services.audit import Tag, record
from portal_app.services.billing.invoices import Billing
from portal_app.services.orders.timeline import OrderTimeline, lock_order
from portal_app.services.subscriptions.subscriptions import Subscriptions


class OrderBilling:
    """What every kind of order needs: a WHMCS order, and its ids wherever they belong."""

    def __init__(
        self,
        settings: Settings,
        progress: OrderTimeline,
        vendors: FulfillingVendors,
        *,
        billing: Billing,
        subscriptions: Subscriptions,
    ) -> None:
        self._settle = timedelta(seconds=settings.whmcs_settle_seconds)
        self._progress = progress
        self._database = progress.database
        self._whmcs_orders, self._crm = vendors.whmcs_orders, vendors.crm
        self._payment_methods = vendors.payment_methods
        self._billing = billing
        self._subscriptions = subscriptions

    async def has_payment_method(self, order_id: UUID) -> bool:
        """Say whether the customer has a card or bank to bill, read from WHMCS itself."""
        _, customer = await self._progress.order(order_id)
        return bool(await self._payment_methods.payment_methods(customer.whmcs_client_id))

    async def place(self, order_id: UUID) -> BillingOrder:
        """Place the WHMCS order, unless our reference is there already.

        Raises OutcomeUnknown while an earlier call, whose answer we never saw, may still be running inside WHMCS:
        until then an empty look-up proves nothing.
        """
        order, customer = await self._progress.order(order_id)
        reference = step_reference(order.id, "whmcs", order.attempt)
        known = await self._whmcs_orders.find_order(customer.whmcs_client_id, reference)
        if known is None:
            lines = [line for line in order.lines if line.whmcs_product_id is not None]
            async with self._trying(order_id):
                known = await self._whmcs_orders.add_order(customer.whmcs_client_id, lines, reference=reference)
        async with self._database.unit_of_work() as session:
            row = await lock_order(session, order_id)
            row.whmcs_order_id, row.billing_tried_at = known.order_id, None
            record(session, Tag.ORDER_BILLED, user_id=row.user_id, detail={"order": str(order_id)})
            await self._progress.record_step(session, row, "billing_created", stage="being_set_up")
        await self._progress.publish(order)
        return known

    async def accept(self, order_id: UUID) -> None:
        """Accept the WHMCS order, which sets the service up, unless that was done.

        Raises OutcomeUnknown while an earlier call, whose answer we never saw, may still be setting it up.
        """
        order, _ = await self._progress.order(order_id)
        if order.whmcs_order_id is None:
            raise NotFound("not billed yet")
        if await self._whmcs_orders.order_status(order.whmcs_order_id) != "Active":
            async with self._trying(order_id):
                await self._whmcs_orders.accept_order(order.whmcs_order_id)
        await self._progress.advance(order_id, "service_set_up", stage="being_set_up")

    async def record_in_salesforce(self, order_id: UUID, billing: BillingOrder) -> None:
        """Write the WHMCS ids back, then the status: last, so that it is never ahead of the truth."""
        order, _ = await self._progress.order(order_id)
        await self._crm.order_billed(order.sf_order_id, billing=billing)
        await self._crm.order_activated(order.sf_order_id)

    async def announce_active(self, order_id: UUID) -> None:
        """Show the order as active, mail it, and let open pages read services and invoices again."""
        _, customer = await self._progress.order(order_id)
        await self._billing.invoices_changed(customer)
        await self._subscriptions.changed(customer)
        await self._progress.advance(order_id, "active", stage="active", mail="order_active", tag=Tag.ORDER_ACTIVATED)

    @asynccontextmanager
    async def _trying(self, order_id: UUID) -> AsyncIterator[None]:
        """Note a call that WHMCS may go on with after we have lost sight of it; no second one while it may be so."""
        async with self._database.unit_of_work() as session:
            row = await lock_order(session, order_id)
            if row.billing_tried_at is not None and now() < row.billing_tried_at + self._settle:
                raise OutcomeUnknown("an earlier call may still be running", vendor="whmcs")
            row.billing_tried_at = now()
        try:
            yield
        except (ExternalUnavailable, ExternalRejected):
            # WHMCS said no, or never got it: the next try need not wait.
            async with self._database.unit_of_work() as session:
                (await lock_order(session, order_id)).billing_tried_at = None
            raise
