"""Orders: placed once per key, handed over durably, shown with their timeline."""

import json
from functools import partial
from uuid import UUID

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.checkout.options import address_to_json, options_to_json
from portal_app.domain.checkout.request import Agreement, Basket, OrderRequest
from portal_app.domain.checkout.terms import TERMS_VERSION
from portal_app.domain.errors import Conflict, NotFound
from portal_app.domain.idempotency import Call
from portal_app.domain.orders.order import Order, OrderDetail, OrderLine
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.tasks.shielded import ShieldedTasks
from portal_app.models.order import DraftRow, OrderEventRow, OrderRow
from portal_app.services.audit import Tag, record
from portal_app.services.checkout.checkout import Checkout
from portal_app.services.checkout.drafts import Drafts
from portal_app.services.idempotency import Claim, Idempotency
from portal_app.services.internet.single_line import refuse_second_order
from portal_app.services.notifications.email_outbox import EmailOutbox
from portal_app.services.orders.timeline import notice_of_order

_ROUTE = "POST /api/orders"


class Orders:
    """Place orders and see how they go."""

    def __init__(
        self,
        database: Database,
        checkout: Checkout,
        drafts: Drafts,
        *,
        idempotency: Idempotency,
        notifications: EmailOutbox,
        queue: DurableQueue,
        live: LiveUpdates,
    ) -> None:
        self._database = database
        self._checkout = checkout
        self._drafts = drafts
        self._idempotency = idempotency
        self._notifications = notifications
        self._queue = queue
        self._live = live
        self._placing = ShieldedTasks()

    async def place(self, customer: Customer, wish: OrderRequest, *, key: str, recipient: str) -> Order:
        """Place an order, once per key and once per draft; the same again returns the same order.

        Prices are read here, never taken from the browser. Salesforce gets the order by durable work, so it may
        be away. Raises InvalidInput, NotFound and NotAllowed (not sold), KeyReused and StillRunning (of a key),
        Conflict (not orderable now), and ExternalUnavailable where it is unknown whether there is a payment method.
        """
        call = Call(customer.user_id, _ROUTE, key, _said(wish))
        # Fifty presses of one button share one run: each waiting for the row's lock would hold a connection.
        work = partial(self._place_once, customer, wish, call, recipient)
        return await self._placing.run(work, key=(customer.user_id, str(wish.draft_id or key), call.fingerprint))

    async def _place_once(self, customer: Customer, wish: OrderRequest, call: Call, recipient: str) -> Order:
        order_id = await self._idempotency.once(
            call, lambda claim: self._place(customer, wish, claim, recipient), status=201
        )
        return (await self.order_for(customer, UUID(order_id))).order

    async def _place(self, customer: Customer, wish: OrderRequest, claim: Claim, recipient: str) -> str:
        if wish.draft_id and (ordered := await self._ordered(customer, wish.draft_id)) is not None:
            return str(ordered.id)
        basket = await self._checkout.validate(customer, wish)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            if wish.draft_id is not None:
                # Two submits of one draft queue up here; the second finds what the first wrote.
                await _lock(session, f"{customer.user_id}:{wish.draft_id}")
                if known := await OrderRow.of_draft(session, customer.user_id, wish.draft_id):
                    return str(known.id)
            if basket.plan.service.category == "internet":
                # Orders of one customer queue up here, whatever their keys and drafts.
                await _lock(session, f"{customer.user_id}:internet")
                await refuse_second_order(session, customer.user_id)
            row = await self._write(session, customer, basket, recipient)
            row.draft_id = wish.draft_id
            await DraftRow.forget(session, customer.user_id, wish.draft_id)
            await claim.finish(session, str(row.id))
        await self._live.publish(Change(customer.user_id, "orders", str(row.id)))
        return str(row.id)

    async def place_draft(
        self, customer: Customer, draft_id: UUID, *, agreed: Agreement, key: str, recipient: str
    ) -> Order:
        """Place the order of a draft; a draft that was ordered already gives that order.

        Raises as `place`, and OfferChanged where it would cost something else than agreed.
        """
        if (ordered := await self._ordered(customer, draft_id)) is not None:
            return ordered
        try:
            wish = await self._drafts.wish(customer, draft_id, agreed)
        except Conflict:
            # Ordered by another click since we looked, or really gone.
            if (ordered := await self._ordered(customer, draft_id)) is not None:
                return ordered
            raise
        return await self.place(customer, wish, key=key, recipient=recipient)

    async def orders_for(self, customer: Customer) -> list[Order]:
        """Return a customer's orders, newest first."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return [row.to_domain() for row in await OrderRow.for_user(session, customer.user_id)]

    async def order_for(self, customer: Customer, order_id: UUID) -> OrderDetail:
        """Return one order with its timeline. Raises NotFound, also for somebody else's."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(OrderRow, order_id)
            if row is None or row.user_id != customer.user_id:
                raise NotFound("not the customer's order")
            events = await OrderEventRow.for_order(session, order_id)
        return OrderDetail(row.to_domain(), tuple(event.to_domain() for event in events))

    async def _ordered(self, customer: Customer, draft_id: UUID) -> Order | None:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await OrderRow.of_draft(session, customer.user_id, draft_id)
            return row.to_domain() if row else None

    async def _write(self, session: AsyncSession, customer: Customer, basket: Basket, recipient: str) -> OrderRow:
        plan = basket.plan
        row = OrderRow(
            user_id=customer.user_id,
            category=plan.service.category,
            lines=[OrderLine.from_item(item).to_json() for item in basket.items],
            options=options_to_json(basket.options) if basket.options else None,
            address=address_to_json(basket.address) if basket.address else None,
            terms_version=TERMS_VERSION,
        )
        session.add(row)
        await session.flush()
        session.add(OrderEventRow(order_id=row.id, attempt=1, step="placed", user_id=row.user_id, source="you"))
        record(session, Tag.ORDER_PLACED, user_id=row.user_id, actor="you", detail=_recorded(row))
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


def _recorded(row: OrderRow) -> dict[str, str]:
    return {"order": str(row.id), "terms": row.terms_version or ""}


def _said(wish: OrderRequest) -> str:
    # Of a draft its id says everything: it can be ordered once only, whatever was answered in between.
    asked = [wish.sku, wish.answers, wish.has_accepted_terms]
    return str(wish.draft_id) if wish.draft_id else json.dumps(asked, sort_keys=True)


async def _lock(session: AsyncSession, name: str) -> None:
    connection = await session.connection()
    await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
