"""Billing a voice option, in the worker: from when the line shows it until the period in which it was switched off.

A WHMCS order is found again by our reference, the end of a service by its request: neither is asked for twice.
"""

from datetime import timedelta
from uuid import UUID, uuid5

from portal_app.domain.errors import ExternalRejected, NotFound
from portal_app.domain.money import Money
from portal_app.domain.orders.order import OrderLine
from portal_app.domain.ports.billing import SubscriptionGateway, WhmcsOrderGateway
from portal_app.domain.ports.crm import CrmGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim_changes.line_order import LineOrderState
from portal_app.domain.sim_changes.plan_change import begins_at
from portal_app.domain.subscriptions.subscription import Subscription, hanging_on
from portal_app.infra.clock import now
from portal_app.infra.database.locks import lock_name
from portal_app.infra.settings import Settings
from portal_app.models.line_order import LineOrderRow
from portal_app.services.sim_changes.progress import LineOrderProgress
from portal_app.services.subscriptions.subscriptions import Subscriptions
from portal_app.services.write_guard import WriteGuard

# WHMCS ends a service in the run of its day: until then it is looked at again.
_LOOK_AGAIN = timedelta(hours=1)


class OptionBilling:
    """Each step returns the state it led to, and is safe to repeat."""

    def __init__(
        self,
        settings: Settings,
        progress: LineOrderProgress,
        orders: WhmcsOrderGateway,
        *,
        gateway: SubscriptionGateway,
        subscriptions: Subscriptions,
        crm: CrmGateway,
    ) -> None:
        settle = timedelta(seconds=settings.whmcs_settle_seconds)
        database = progress.database
        self._progress = progress
        self._orders = orders
        self._gateway = gateway
        self._subscriptions = subscriptions
        self._crm = crm
        self._ordering = WriteGuard(database, LineOrderRow.locked, "order_tried_at", settle=settle)
        self._accepting = WriteGuard(database, LineOrderRow.locked, "accept_tried_at", settle=settle)
        self._ending = WriteGuard(database, LineOrderRow.locked, "end_tried_at", settle=settle)

    async def order(self, order_id: UUID) -> LineOrderState:
        """Order the option at WHMCS, unless a service bills it already: one that is paid until a day is used up first.

        Raises OutcomeUnknown while an earlier call, whose answer we never saw, may still be running inside WHMCS, and
        ExternalRejected for a service that ends: what is ordered behind its cancellation would be billed for ever.
        """
        row, customer = await self._progress.read(order_id)
        client_id, reference = customer.whmcs_client_id, str(row.id)
        if row.order_tried_at is None and await self._progress.is_ending(row):
            raise ExternalRejected("the service ends", vendor="whmcs")
        if row.order_tried_at is None and (billed := await self._billed(row, customer)) is not None:
            if billed.id not in await self._gateway.cancellations():
                return await self._progress.move(order_id, "done", billed_service_id=billed.id)
            ends = max(begins_at(billed.next_due_on) if billed.next_due_on else now(), now() + _LOOK_AGAIN)
            return await self._progress.move(order_id, "covered", billed_service_id=billed.id, bill_from=ends)
        line = _line(row)
        made = await self._ordering.send(
            order_id,
            lambda: self._orders.add_order(client_id, [line], reference=reference),
            look_up=lambda: self._orders.find_order(client_id, reference),
            vendor="whmcs",
            always_look_up=True,
        )
        return await self._progress.move(
            order_id, "accepting", billed_order_id=made.order_id, billed_service_id=next(iter(made.service_ids), None)
        )

    async def accept(self, order_id: UUID) -> LineOrderState:
        """Accept the WHMCS order, unless that was done."""
        row, _ = await self._progress.read(order_id)
        if row.billed_order_id is None:
            raise NotFound("not ordered yet")
        number = row.billed_order_id

        async def accept() -> bool:
            await self._orders.accept_order(number)
            return True

        async def is_active() -> bool | None:
            return await self._orders.order_status(number) == "Active" or None

        await self._accepting.send(order_id, accept, look_up=is_active, vendor="whmcs", always_look_up=True)
        return await self._progress.move(order_id, "done")

    async def end(self, order_id: UUID) -> LineOrderState:
        """Have WHMCS end what bills an option that is off, with the period that is paid; nothing where nothing does.

        Raises ExternalRejected where a service may bill this line's option or another's: then people look.
        """
        row, customer = await self._progress.read(order_id)
        billed = await self._billed(row, customer, is_doubt_refused=True)
        if billed is None:
            return await self._progress.move(order_id, "done")
        client_id, service_id = customer.whmcs_client_id, billed.id

        async def ask() -> bool:
            reason = f"{row.title} switched off on service {row.service_id} (portal request {row.id})"
            await self._gateway.request_cancellation(client_id, service_id, reason=reason, at_period_end=True)
            return True

        async def was_asked() -> bool | None:
            return service_id in await self._gateway.cancellations() or None

        await self._ending.send(order_id, ask, look_up=was_asked, vendor="whmcs", always_look_up=True)
        return await self._progress.move(order_id, "done", billed_service_id=service_id)

    async def resume(self, order_id: UUID) -> LineOrderState:
        """Bill an option on once what was paid is used up, if it is on still."""
        row, _ = await self._progress.read(order_id)
        is_gone = await self._progress.number_of(row) is None
        async with self._progress.database.unit_of_work() as session:
            # Held until the change has moved: one that is asked for meanwhile finds it unsettled.
            await lock_name(session, f"line-order:{row.service_id}")
            asked = await LineOrderRow.of_option(session, row.service_id, row.option)
            if await LineOrderRow.unsettled_of(session, row.service_id, row.slot) is not None:
                # What is under way may be its end.
                return await self._progress.move(order_id, row.standing_state, bill_from=now() + _LOOK_AGAIN)
            is_off = any(each.shown_at and each.asked_at > row.asked_at and each.target == "off" for each in asked)
            return await self._progress.move(order_id, "done" if is_off or is_gone else "ordering")

    async def open_case(self, order_id: UUID) -> LineOrderState:
        """Ask our team to set the bill right: WHMCS refused to bill what the line shows. Safe to repeat."""
        row, customer = await self._progress.read(order_id)
        what = f"{row.option} {row.target}" if row.kind == "voice" else f"{row.kind} {row.title}"
        await self._crm.open_case(
            customer,
            reference=uuid5(row.id, "bill"),
            subject=f"Bill of a changed SIM line: service {row.service_id}",
            description=f"The line of service {row.service_id} at WHMCS was changed ({what}), and WHMCS did not take "
            f"what the portal asked. Billed so far: {Money(row.old_price, row.currency)} a month without tax, to be "
            f"billed: {Money(row.price, row.currency)} for {row.title}. Portal change {row.id}.",
        )
        return await self._progress.move(order_id, "with_team")

    async def _billed(
        self, row: LineOrderRow, customer: Customer, *, is_doubt_refused: bool = False
    ) -> Subscription | None:
        """Return the living service that bills a row's option of its line: ours by number, else what hangs on it."""
        services = await self._subscriptions.read_classified(customer)
        async with self._progress.database.unit_of_work() as session:
            asked = await LineOrderRow.of_option(session, row.service_id, row.option)
        ours = {each.billed_service_id for each in asked if each.billed_service_id}
        living = [each for each in services if each.product_id == row.product_id and each.is_live]
        own = [each for each in living if each.id in ours]
        hanging = hanging_on(row.service_id, services)
        own += [each for each in living if each in hanging.own and each not in own]
        if not own and is_doubt_refused and any(each in hanging.doubtful for each in living):
            raise ExternalRejected("its line is not known", vendor="whmcs")
        return own[0] if own else None


def _line(row: LineOrderRow) -> OrderLine:
    return OrderLine(
        sku="",
        name=row.title,
        cycle="monthly",
        price=Money(row.price, row.currency),
        pricebook_entry_id="",
        whmcs_product_id=row.product_id,
    )
