"""Billing a plan at its new price, in the worker, once the line has it: nobody pays for a plan they do not have.

WHMCS may have issued the invoice of the next period at the old price, up to two weeks ahead, and no invoice changes
afterwards: the difference is billed by one more invoice or given as credit, once.
"""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from portal_app.domain.billing.charge import NewInvoice
from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.errors import ExternalRejected
from portal_app.domain.money import Money
from portal_app.domain.ports.billing import InvoiceGateway, SubscriptionGateway
from portal_app.domain.ports.charges import ChargeGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim_changes.line_order import LineOrderState
from portal_app.domain.sim_changes.plan_change import overbilled
from portal_app.infra.clock import today
from portal_app.infra.settings import Settings
from portal_app.models.line_order import LineOrderRow
from portal_app.models.sim_line import SimLineRow
from portal_app.services.sim_changes.progress import LineOrderProgress
from portal_app.services.write_guard import WriteGuard


class PlanBilling:
    """Each step returns the state it led to, and is safe to repeat."""

    def __init__(
        self,
        settings: Settings,
        progress: LineOrderProgress,
        gateway: SubscriptionGateway,
        *,
        invoices: InvoiceGateway,
        charges: ChargeGateway,
    ) -> None:
        self._settings = settings
        self._progress = progress
        self._gateway = gateway
        self._invoices = invoices
        self._charges = charges
        self._names = [name.strip() for name in settings.whmcs_sim_fields.split(",")]
        settle = timedelta(seconds=settings.whmcs_settle_seconds)
        self._guard = WriteGuard(progress.database, LineOrderRow.locked, "correct_tried_at", settle=settle)

    async def rebill(self, order_id: UUID) -> LineOrderState:
        """Write product and price to the service at WHMCS. Raises ExternalRejected where it is another one by now."""
        row, customer = await self._progress.read(order_id)
        client_id, price = customer.whmcs_client_id, Money(row.price, row.currency)
        service = await self._gateway.subscription(client_id, row.service_id)
        if service.is_over or service.product_id not in (row.product_id, row.old_product_id):
            raise ExternalRejected(f"product {service.product_id}, {service.status}", vendor="whmcs")
        if row.product_id is not None and (service.product_id, service.recurring) != (row.product_id, price):
            await self._gateway.change_product(client_id, row.service_id, product_id=row.product_id, recurring=price)
        await self._write_fields(row, client_id)
        return await self._progress.move(order_id, "correcting")

    async def correct(self, order_id: UUID) -> LineOrderState:
        """Bill or give back what issued invoices are wrong by, once.

        Raises OutcomeUnknown while an earlier call, whose answer we never saw, may still be running inside WHMCS.
        """
        row, customer = await self._progress.read(order_id)
        if row.correction is None:
            row.correction = await self._difference(row, customer)
            await self._progress.move(order_id, "correcting", correction=row.correction)
        difference = Money(row.correction, row.currency)
        if difference.minor > 0:
            await self._bill(row, customer, difference)
        elif difference.minor < 0:
            await self._give_back(row, customer, Money(-difference.minor, row.currency))
        return await self._progress.move(order_id, "done")

    async def _difference(self, row: LineOrderRow, customer: Customer) -> int:
        if row.effective_on is None:
            return 0
        client_id, since = customer.whmcs_client_id, row.effective_on
        listed = [each for each in await self._invoices.invoices(client_id) if each.due_on and each.due_on >= since]
        read: list[Invoice] = [await self._invoices.invoice(client_id, each.id) for each in listed]
        old, new = Money(row.old_price, row.currency), Money(row.price, row.currency)
        return overbilled(read, row.service_id, effective_on=since, old=old, new=new)[0].minor

    async def _bill(self, row: LineOrderRow, customer: Customer, difference: Money) -> None:
        client_id = customer.whmcs_client_id
        service = await self._gateway.subscription(client_id, row.service_id)
        new = NewInvoice(
            description=f"{row.title}: difference to the price billed before, from {row.effective_on}",
            amount=difference,
            gateway=service.gateway or self._settings.whmcs_payment_method,
            due_on=today() + timedelta(days=self._settings.portal_top_up_due_days),
            reference=str(row.id),
        )
        await self._guard.send(
            row.id,
            lambda: self._charges.create_invoice(client_id, new),
            look_up=lambda: self._charges.find_invoice(client_id, new.reference),
            vendor="whmcs",
            always_look_up=True,
        )

    async def _give_back(self, row: LineOrderRow, customer: Customer, difference: Money) -> None:
        client_id, reference = customer.whmcs_client_id, str(row.id)
        # Credit has no tax of its own: it stands for what was billed with tax.
        amount = difference.with_tax(Decimal(self._settings.tax_percent))

        async def give() -> bool:
            description = f"{row.title}: difference to the price billed before, from {row.effective_on}"
            await self._charges.add_credit(client_id, amount, description=description, reference=reference)
            return True

        async def was_given() -> bool | None:
            return await self._charges.find_credit(client_id, reference) or None

        await self._guard.send(row.id, give, look_up=was_given, vendor="whmcs", always_look_up=True)

    async def _write_fields(self, row: LineOrderRow, client_id: int) -> None:
        """Write the line's numbers once more: custom fields belong to a product, and the new one has its own."""
        async with self._progress.database.unit_of_work() as session:
            line = await SimLineRow.of_service(session, row.user_id, row.service_id)
        values = dict(zip(self._names, (line.number, line.iccid, line.eid), strict=True)) if line else {}
        told = {name: value for name, value in values.items() if value}
        await self._gateway.set_service_fields(client_id, row.service_id, told)
