"""Billing an order: placed and accepted at WHMCS once, recorded in Salesforce, announced."""

from datetime import timedelta
from uuid import UUID

from portal_app.domain.errors import NotFound
from portal_app.domain.identifiers import step_reference
from portal_app.domain.ports.billing import BillingOrder
from portal_app.domain.ports.fulfilment import FulfillingVendors
from portal_app.infra.settings import Settings
from portal_app.services.audit import Tag, record
from portal_app.services.billing.invoices import Billing
from portal_app.services.orders.timeline import OrderTimeline, lock_order
from portal_app.services.subscriptions.subscriptions import Subscriptions
from portal_app.services.write_guard import WriteGuard


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
        self._progress = progress
        self._database = progress.database
        settle = timedelta(seconds=settings.whmcs_settle_seconds)
        self._guard = WriteGuard(progress.database, lock_order, "billing_tried_at", settle=settle)
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
        client_id = customer.whmcs_client_id
        lines = [line for line in order.lines if line.whmcs_product_id is not None]
        known = await self._guard.send(
            order_id,
            lambda: self._whmcs_orders.add_order(client_id, lines, reference=reference),
            look_up=lambda: self._whmcs_orders.find_order(client_id, reference),
            vendor="whmcs",
            always_look_up=True,
        )
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
        number = order.whmcs_order_id

        async def accept() -> bool:
            await self._whmcs_orders.accept_order(number)
            return True

        async def is_active() -> bool | None:
            return await self._whmcs_orders.order_status(number) == "Active" or None

        await self._guard.send(order_id, accept, look_up=is_active, vendor="whmcs", always_look_up=True)
        await self._progress.advance(order_id, "service_set_up", stage="being_set_up")

    async def record_in_salesforce(self, order_id: UUID, billing: BillingOrder) -> None:
        """Write the WHMCS ids back, then the status: last, so that it is never ahead of the truth."""
        order, _ = await self._progress.order(order_id)
        await self._crm.order_billed(order.sf_order_id, billing=billing)
        await self._crm.order_activated(order.sf_order_id)

    async def announce_active(self, order_id: UUID) -> None:
        """Show the order as active, mail it, and let open pages read services and invoices again."""
        _, customer = await self._progress.order(order_id)
        await self._billing.mark_stale(customer)
        await self._subscriptions.mark_stale(customer)
        await self._progress.advance(order_id, "active", stage="active", mail="order_active", tag=Tag.ORDER_ACTIVATED)
