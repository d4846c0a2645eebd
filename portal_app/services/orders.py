"""Orders: placed once per key, handed over durably, shown with their timeline."""

import hashlib
from uuid import UUID

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.customer import Customer
from portal_app.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal_app.domain.order import Order, OrderDetail, OrderLine
from portal_app.domain.plan import ORDERED_ONLINE, CatalogItem, Plan
from portal_app.infra.database import Database
from portal_app.infra.durable import DurableQueue
from portal_app.models.order import IdempotencyKey, OrderEventRow, OrderRow
from portal_app.services.audit import Tag, record
from portal_app.services.catalog import Catalog
from portal_app.services.notifications import Notifications
from portal_app.services.order_progress import notice_of_order
from portal_app.services.payments import Payments

_ROUTE = "orders.place"
_PRICE_DIFFERS = "This plan cannot be ordered at the moment: we are checking its price. Try again later."


class Orders:
    """Place orders and see how they go."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        payments: Payments,
        *,
        notifications: Notifications,
        queue: DurableQueue,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._payments = payments
        self._notifications = notifications
        self._queue = queue

    async def place(self, customer: Customer, *, sku: str, key: str, recipient: str) -> Order:
        """Place an order for a plan, once per key; the same key again returns the same order.

        Prices are read here, never taken from the browser. Salesforce gets the order by durable work, so it may
        be away. Raises InvalidInput, NotFound (not sold), Conflict (key used for something else), and
        ExternalUnavailable where it is unknown whether there is a payment method.
        """
        key = _checked_key(key)
        payload = hashlib.sha256(sku.encode()).digest()
        if (known := await self._by_key(customer, key, payload)) is not None:
            return known
        plan = await self._catalog.plan(sku)
        if plan.service.category not in ORDERED_ONLINE:
            raise NotAllowed("not sold online", user_message="This plan is ordered with our team. Write to us.")
        if not await self._payments.payment_methods_for(customer):
            raise InvalidInput({"payment": "Add a payment method first."})
        if not plan.is_orderable:
            raise Conflict("price differs from billing", user_message=_PRICE_DIFFERS)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            # Two submits with one key queue up here; the second finds what the first wrote.
            await _lock(session, f"{customer.user_id}:{key}")
            if (known := await self._known(session, customer, key, payload)) is not None:
                return known
            row = await self._write(session, customer, plan, recipient)
            session.add(
                IdempotencyKey(
                    user_id=customer.user_id, route=_ROUTE, key=key, payload_hash=payload, resource_id=str(row.id)
                )
            )
            return row.to_domain()

    async def orders_for(self, customer: Customer) -> list[Order]:
        """Return a customer's orders, newest first."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return [row.to_domain() for row in await OrderRow.of(session, customer.user_id)]

    async def order_for(self, customer: Customer, order_id: UUID) -> OrderDetail:
        """Return one order with its timeline. Raises NotFound, also for somebody else's."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(OrderRow, order_id)
            if row is None or row.user_id != customer.user_id:
                raise NotFound("not the customer's order")
            events = await OrderEventRow.of(session, order_id)
        return OrderDetail(row.to_domain(), tuple(event.to_domain() for event in events))

    async def _by_key(self, customer: Customer, key: str, payload: bytes) -> Order | None:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return await self._known(session, customer, key, payload)

    @staticmethod
    async def _known(session: AsyncSession, customer: Customer, key: str, payload: bytes) -> Order | None:
        kept = await session.get(IdempotencyKey, (customer.user_id, _ROUTE, key))
        if kept is None:
            return None
        if kept.payload_hash != payload:
            raise Conflict("key reused for another payload", user_message="This checkout was already used.")
        row = await session.get(OrderRow, UUID(kept.resource_id))
        return row.to_domain() if row else None

    async def _write(self, session: AsyncSession, customer: Customer, plan: Plan, recipient: str) -> OrderRow:
        row = OrderRow(
            user_id=customer.user_id,
            category=plan.service.category,
            lines=[_line(item).to_json() for item in plan.items],
        )
        session.add(row)
        await session.flush()
        session.add(OrderEventRow(order_id=row.id, attempt=1, step="placed", user_id=row.user_id, source="you"))
        record(session, Tag.ORDER_PLACED, user_id=row.user_id, actor="you", detail={"order": str(row.id)})
        await self._notifications.mail(
            session,
            "order_received",
            recipient=recipient,
            user_id=row.user_id,
            title=plan.service.name,
            order_id=str(row.id),
        )
        await notice_of_order(session, row, "order_received")
        await self._queue.enqueue(session, "hand_over_order", f"hand-over-{row.id}", str(row.id))
        return row


def _line(item: CatalogItem) -> OrderLine:
    return OrderLine(
        sku=item.sku,
        name=item.name,
        cycle=item.cycle,
        price=item.price,
        pricebook_entry_id=item.pricebook_entry_id,
        whmcs_product_id=item.whmcs_product_id,
    )


def _checked_key(key: str) -> str:
    if not (8 <= len(key) <= 200 and key.isascii() and key.isprintable()):
        raise InvalidInput({"Idempotency-Key": "Send a key of 8 to 200 printable characters."})
    return key


async def _lock(session: AsyncSession, name: str) -> None:
    connection = await session.connection()
    await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
