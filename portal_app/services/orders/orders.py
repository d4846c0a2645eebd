"""Orders for pages and API: place an order once, list orders and read their timelines."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.checkout.options import address_to_json, options_to_json
from portal_app.domain.checkout.request import Agreement, Basket, OrderRequest
from portal_app.domain.checkout.terms import TERMS_VERSION
from portal_app.domain.errors import Conflict, NotFound
from portal_app.domain.idempotency import Claim
from portal_app.domain.orders.order import Order, OrderDetail, OrderLine
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.database.locks import lock_name
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.tasks.current_order import set_current_order
from portal_app.models.order import DraftRow, OrderEventRow, OrderRow
from portal_app.services.audit import Tag, record
from portal_app.services.checkout.checkout import Checkout
from portal_app.services.checkout.drafts import Drafts
from portal_app.services.internet.single_line import refuse_second_order
from portal_app.services.notifications.email_outbox import EmailOutbox
from portal_app.services.orders.awaited import with_awaited
from portal_app.services.orders.timeline import log_stage, raise_order_notice


class Orders:
    """Places and reads orders."""

    def __init__(
        self,
        database: Database,
        checkout: Checkout,
        drafts: Drafts,
        *,
        email_outbox: EmailOutbox,
        queue: DurableQueue,
        live: LiveUpdates,
    ) -> None:
        self._database = database
        self._checkout = checkout
        self._drafts = drafts
        self._email_outbox = email_outbox
        self._queue = queue
        self._live = live

    async def place(self, customer: Customer, order_request: OrderRequest, *, claim: Claim, recipient: str) -> str:
        """Place an order and return its id. The idempotency claim is finished in the order's own transaction.

        Prices are read from the catalogue, never taken from the request. A workflow sends the order to Salesforce,
        which may be unavailable. Raises InvalidInput, NotFound and NotAllowed (not sold), Conflict (cannot be ordered
        now, or the draft is ordered already), RateLimited, and ExternalUnavailable if payment methods are unknown.
        """
        basket = await self._checkout.validate(customer, order_request)
        await self._checkout.count(customer, order_request)
        draft_id = order_request.draft_id
        try:
            async with self._database.unit_of_work(customer=customer.user_id) as session:
                if basket.plan.service.category == "internet":
                    # Serialises fibre orders of one customer, also with different keys and drafts.
                    await lock_name(session, f"{customer.user_id}:internet")
                    await refuse_second_order(session, customer.user_id)
                row = await self._write(session, customer, basket, draft_id=draft_id, recipient=recipient)
                await DraftRow.delete_draft(session, customer.user_id, draft_id)
                await claim.finish(session, str(row.id))
        except IntegrityError as error:
            set_current_order("")
            if draft_id is None:
                raise
            # The unique column orders.draft_id lets one of several submits through.
            raise Conflict("the draft is ordered already") from error
        log_stage(row, before="")
        await self._live.publish(Change(customer.user_id, "orders", str(row.id)))
        return str(row.id)

    async def place_draft(
        self, customer: Customer, draft_id: UUID, *, agreed: Agreement, claim: Claim, recipient: str
    ) -> str:
        """Place the order of a draft and return its id; if the draft was ordered already, return that order's.

        Raises as `place`, and OfferChanged if the prices differ from those agreed to.
        """
        try:
            order_request = await self._drafts.order_request(customer, draft_id, agreed)
            return await self.place(customer, order_request, claim=claim, recipient=recipient)
        except Conflict:
            async with self._database.unit_of_work(customer=customer.user_id) as session:
                ordered = await OrderRow.of_draft(session, customer.user_id, draft_id)
            if ordered is None:
                raise
            return str(ordered.id)

    async def orders_for(self, customer: Customer) -> list[Order]:
        """Return a customer's orders, newest first."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            orders = [row.to_domain() for row in await OrderRow.for_user(session, customer.user_id)]
            return await with_awaited(session, customer.user_id, orders)

    async def order_for(self, customer: Customer, order_id: UUID) -> OrderDetail:
        """Return an order with its timeline. Raises NotFound, also for an order of another customer."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(OrderRow, order_id)
            if row is None or row.user_id != customer.user_id:
                raise NotFound("not the customer's order")
            events = await OrderEventRow.for_order(session, order_id)
            (order,) = await with_awaited(session, customer.user_id, [row.to_domain()])
        return OrderDetail(order, tuple(event.to_domain() for event in events))

    async def _write(
        self, session: AsyncSession, customer: Customer, basket: Basket, *, draft_id: UUID | None, recipient: str
    ) -> OrderRow:
        plan = basket.plan
        row = OrderRow(
            user_id=customer.user_id,
            draft_id=draft_id,
            category=plan.service.category,
            lines=[OrderLine.from_item(item).to_json() for item in basket.items],
            options=options_to_json(basket.options) if basket.options else None,
            address=address_to_json(basket.address) if basket.address else None,
            terms_version=TERMS_VERSION,
        )
        session.add(row)
        await session.flush()
        # From here on: what is written down with the order belongs to it.
        set_current_order(row.id)
        session.add(OrderEventRow(order_id=row.id, attempt=1, step="placed", user_id=row.user_id, source="you"))
        record(session, Tag.ORDER_PLACED, user_id=row.user_id, actor="you", detail=_audit_detail(row))
        await self._email_outbox.enqueue(
            session,
            "order_received",
            recipient=recipient,
            user_id=row.user_id,
            title=plan.service.name,
            order_id=str(row.id),
        )
        await raise_order_notice(session, row, "order_received")
        await self._queue.enqueue(session, "hand_over_order", f"hand-over-{row.id}", str(row.id))
        return row


def _audit_detail(row: OrderRow) -> dict[str, str]:
    return {"order": str(row.id), "terms": row.terms_version or ""}
