"""Order repair for operators: where orders stand, and the actions for a stuck order. Shown first, then done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlmodel import col, select

from portal_app.domain.errors import NotFound
from portal_app.domain.orders.order import FINAL_STAGES, Order, SalesforceOrder
from portal_app.domain.ports.fulfilment import FulfillingVendors
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import now
from portal_app.infra.database.durable import DurableQueue
from portal_app.models.order import OrderEventRow, OrderRow
from portal_app.models.sim import SimReservation
from portal_app.models.sim_line import SimLineRow
from portal_app.models.user import IdMapping
from portal_app.services.audit import Tag, record
from portal_app.services.orders.timeline import OrderTimeline, lock_order


@dataclass(frozen=True, slots=True)
class RepairAction:
    """One thing to be done, in words, and the doing of it. Each is safe to repeat."""

    description: str
    run: Callable[[], Awaitable[None]]


class OrderRepair:
    """Look at orders across customers, and take them up again or back."""

    def __init__(self, progress: OrderTimeline, queue: DurableQueue, vendors: FulfillingVendors) -> None:
        self._progress = progress
        self._database = progress.database
        self._queue = queue
        self._whmcs_orders, self._subscriptions = vendors.whmcs_orders, vendors.subscriptions
        self._crm, self._internet = vendors.crm, vendors.internet
        self._inventory, self._lines = vendors.sim_inventory, vendors.sims

    async def overview(self, *, unfinished: bool = True) -> list[tuple[Order, str, str]]:
        """Return orders with their customer's number and last step, the longest without a step first."""
        query = select(OrderRow, IdMapping.customer_number).join(
            IdMapping, col(IdMapping.user_id) == col(OrderRow.user_id)
        )
        if unfinished:
            query = query.where(col(OrderRow.stage).not_in(FINAL_STAGES))
        async with self._database.unit_of_work() as session:
            rows = (await session.exec(query.order_by(col(OrderRow.updated_at)))).all()
            events = select(OrderEventRow).where(col(OrderEventRow.order_id).in_([row.id for row, _ in rows]))
            last = {e.order_id: e.step for e in (await session.exec(events.order_by(col(OrderEventRow.at)))).all()}
        return [(row.to_domain(), number, last.get(row.id, "")) for row, number in rows]

    async def show(self, order_id: UUID) -> tuple[Order, Customer, tuple[OrderEventRow, ...], SalesforceOrder | None]:
        """Return an order with its customer, its timeline and how Salesforce has it. Raises NotFound."""
        order, customer = await self._progress.order(order_id)
        async with self._database.unit_of_work() as session:
            events = tuple(await OrderEventRow.for_order(session, order_id))
        review = await self._crm.order(order.sf_order_id) if order.sf_order_id else None
        return order, customer, events, review

    async def retry(self, order_id: UUID) -> list[RepairAction]:
        """Return what takes an order up again; nothing where it is done or an agent has to decide first."""
        order, _ = await self._progress.order(order_id)
        if order.stage in FINAL_STAGES:
            return []
        if not order.sf_order_id:
            return [
                RepairAction(
                    "Hand the order over to Salesforce again.", lambda: self._enqueue(order, "hand_over_order")
                )
            ]
        review = await self._crm.order(order.sf_order_id)
        actions: list[RepairAction] = []
        if review.stage == "needs_attention":
            why = review.error_code or "its error"
            words = f"Salesforce: set the order {review.id} to Activating again and clear {why}."
            actions.append(RepairAction(words, lambda: self._crm.order_resumed(review.id)))
        if review.stage in ("needs_attention", "being_set_up"):
            words = "Wake the provisioning; it goes on at the step that stopped and repeats nothing that was done."
            actions.append(RepairAction(words, lambda: self._enqueue(order, "look_again", order.sf_order_id)))
        return actions

    async def undo(self, order_id: UUID) -> list[RepairAction]:
        """Return what takes an order's steps back, so that it can be approved again; nothing for a finished one."""
        order, customer = await self._progress.order(order_id)
        if order.stage != "needs_attention":
            return []
        actions = await self._undo_billing(order, customer) + await self._undo_line(order)
        if order.sf_order_id:
            words = f"Salesforce: clear the WHMCS number, set the order {order.sf_order_id} to Not Started."
            actions.append(RepairAction(words, lambda: self._crm.order_reopened(order.sf_order_id)))
        words = f"Portal: begin attempt {order.attempt + 1}, in review; an agent must approve again."
        return [*actions, RepairAction(words, lambda: self._restart(order))]

    async def _undo_billing(self, order: Order, customer: Customer) -> list[RepairAction]:
        number = order.whmcs_order_id
        if number is None:
            return []
        if await self._whmcs_orders.order_status(number) == "Pending":
            words = f"WHMCS: cancel the pending order {number}."
            return [RepairAction(words, lambda: self._whmcs_orders.cancel_order(number))]
        found = await self._subscriptions.subscriptions(customer.whmcs_client_id)
        services = [service for service in found if service.order_id == number]
        words = "WHMCS: ask for the end, at once, of service {} of order {}; refund what was paid by hand."
        actions = [
            RepairAction(words.format(service.id, number), partial(self._end, customer, service.id))
            for service in services
        ]
        return actions + [
            action for service in services for action in await self._undo_opportunity(customer, service.id)
        ]

    async def _undo_opportunity(self, customer: Customer, service_id: int) -> list[RepairAction]:
        """A fibre line's opportunity must not stay Active: agents would count a line that is not there."""
        opportunity = await self._internet.opportunity_of(customer.sf_account_id, service_id)
        if opportunity is None:
            return []
        words = f"Salesforce: set the opportunity {opportunity} of service {service_id} to Void."
        return [RepairAction(words, lambda: self._internet.void(opportunity))]

    async def _undo_line(self, order: Order) -> list[RepairAction]:
        async with self._database.unit_of_work() as session:
            row = await session.get(SimReservation, order.id)
        if row is None:
            return []
        actions: list[RepairAction] = []
        has_line = await self._has_line(row.number)
        if has_line:
            words = f"Freebit: end the line ***{row.number[-4:]} at once. This cannot be taken back."
            actions.append(RepairAction(words, lambda: self._lines.cancel(row.number)))
        if row.stock_id:
            became = "Retired" if has_line else "Available"
            words = f"Salesforce: give the SIM {row.stock_id} back to the inventory as {became}."
            actions.append(RepairAction(words, lambda: self._inventory.give_back(row.stock_id or "", is_used=has_line)))
        return [*actions, RepairAction("Portal: forget the SIM set aside.", lambda: self._forget_line(order.id))]

    async def _has_line(self, number: str) -> bool:
        try:
            return (await self._lines.line(number)).exists
        except NotFound:
            return False

    async def _end(self, customer: Customer, service_id: int) -> None:
        await self._subscriptions.request_cancellation(
            customer.whmcs_client_id, service_id, reason="Order undone by an operator", at_period_end=False
        )

    async def _forget_line(self, order_id: UUID) -> None:
        async with self._database.unit_of_work() as session:
            if row := await session.get(SimReservation, order_id):
                if linked := await SimLineRow.of_number(session, row.number_index):
                    linked.end()
                await session.delete(row)

    async def _restart(self, order: Order) -> None:
        async with self._database.unit_of_work() as session:
            row = await lock_order(session, order.id)
            if row.attempt != order.attempt:
                return
            row.attempt += 1
            row.whmcs_order_id = row.billing_tried_at = None
            await self._progress.record_step(session, row, "undone", stage="in_review", source="staff")
            record(session, Tag.ORDER_UNDONE, user_id=row.user_id, actor="staff", detail={"order": str(order.id)})
        await self._progress.publish(order)

    async def _enqueue(self, order: Order, workflow: str, argument: str = "") -> None:
        async with self._database.unit_of_work() as session:
            name = f"{workflow}-{order.id}-{now():%Y%m%d%H%M%S}"
            await self._queue.enqueue(session, workflow, name, argument or str(order.id))
