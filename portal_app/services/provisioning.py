"""Provisioning: the remote effects of an order, each a step that can be repeated, and what the customer sees of it."""

from datetime import timedelta
from typing import cast
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.customer import Customer
from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.domain.identifiers import step_reference
from portal_app.domain.order import NewSalesforceOrder, Order, OrderStage, SalesforceOrder
from portal_app.domain.ports import BillingGateway, BillingOrder, CrmGateway
from portal_app.infra.database import Database
from portal_app.infra.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.models.columns import now
from portal_app.models.order import OrderEventRow, OrderRow
from portal_app.models.user import IdMapping, User
from portal_app.services.audit import Tag, record
from portal_app.services.billing import Billing
from portal_app.services.notifications import Notifications
from portal_app.services.subscriptions import Subscriptions

_REVIEW_MAILS: dict[OrderStage, str] = {"not_accepted": "order_not_accepted", "active": "order_active"}


class Provisioning:
    """Carry an order from the customer's word to a working, billed service."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        billing_gateway: BillingGateway,
        crm: CrmGateway,
        *,
        billing: Billing,
        subscriptions: Subscriptions,
        notifications: Notifications,
        live: LiveUpdates,
    ) -> None:
        self._settle = timedelta(seconds=settings.whmcs_settle_seconds)
        self._database = database
        self._gateway = billing_gateway
        self._crm = crm
        self._billing = billing
        self._subscriptions = subscriptions
        self._notifications = notifications
        self._live = live

    async def hand_over(self, order_id: UUID) -> str:
        """Create the order in Salesforce for review and return its id there. Safe to repeat."""
        order, customer = await self._order(order_id)
        sf_order_id = await self._crm.upsert_order(
            NewSalesforceOrder(
                order_id=order.id,
                account_id=customer.sf_account_id,
                category=order.category,
                lines=order.lines,
                placed_at=order.placed_at,
                address=order.address,
                options=order.options,
            )
        )
        async with self._database.unit_of_work() as session:
            row = await _locked(session, order_id)
            row.sf_order_id = sf_order_id
            # An agent may have decided before we heard that the order arrived: never move it back.
            stage: OrderStage = "in_review" if row.stage == "received" else cast(OrderStage, row.stage)
            if await self._note(session, row, "in_review", stage=stage):
                record(session, Tag.ORDER_HANDED_OVER, user_id=row.user_id, detail={"order": str(order_id)})
        await self._tell(order)
        return sf_order_id

    async def read_review(self, sf_order_id: str) -> SalesforceOrder:
        """Read how the review stands from Salesforce."""
        return await self._crm.order(sf_order_id)

    async def order_of(self, sf_order: SalesforceOrder) -> Order | None:
        """Return our order of a Salesforce order, or None where the portal has none."""
        async with self._database.unit_of_work() as session:
            row = await OrderRow.by_salesforce_id(session, sf_order.id)
            if row is None and sf_order.portal_order_id:
                row = await session.get(OrderRow, UUID(sf_order.portal_order_id))
            return row.to_domain() if row else None

    async def apply_review(self, order_id: UUID, sf_order: SalesforceOrder) -> None:
        """Take over what an agent decided: approved, not accepted, cancelled. Never moves an active order back."""
        async with self._database.unit_of_work() as session:
            row = await _locked(session, order_id)
            stage = sf_order.stage
            if row.stage in ("active", stage) or stage == "in_progress" or _is_echo(row, stage):
                return
            row.sf_order_id = sf_order.id
            step = "approved" if stage == "being_set_up" else stage
            is_new = await self._note(session, row, step, stage=stage, source="staff")
            if is_new and stage in _REVIEW_MAILS:
                await self._mail(session, row, _REVIEW_MAILS[stage])
            order = row.to_domain()
        await self._tell(order)

    async def is_approved(self, order_id: UUID) -> bool:
        """Guard: say whether Salesforce has the order as approved, now; a cancelled one may still say Activating."""
        order, _ = await self._order(order_id)
        review = await self._crm.order(order.sf_order_id)
        return review.stage == "being_set_up"

    async def has_payment_method(self, order_id: UUID) -> bool:
        """Say whether the customer has a card or bank to bill, read from WHMCS itself."""
        _, customer = await self._order(order_id)
        return bool(await self._gateway.payment_methods(customer.whmcs_client_id))

    async def ask_for_payment_method(self, order_id: UUID) -> None:
        """Tell the customer that the order waits for a card; Salesforce sees why."""
        order, _ = await self._order(order_id)
        await self._move(order_id, "waiting_for_card", stage="needs_attention", mail="order_needs_card")
        # Salesforce last: an agent who sees it there can approve again, and finds the order already parked.
        await self._crm.order_failed(
            order.sf_order_id, code="PAYMENT_METHOD_MISSING", message="The customer has no payment method."
        )

    async def place_billing_order(self, order_id: UUID) -> BillingOrder:
        """Place the WHMCS order, unless our reference is there already.

        Raises OutcomeUnknown while an earlier call, whose answer we never saw, may still be running inside WHMCS:
        until then an empty look-up proves nothing.
        """
        order, customer = await self._order(order_id)
        reference = step_reference(order.id, "whmcs", order.attempt)
        known = await self._gateway.find_order(customer.whmcs_client_id, reference)
        if known is None:
            await self._note_billing_try(order_id)
            known = await self._add_billing_order(order, customer, reference)
        async with self._database.unit_of_work() as session:
            row = await _locked(session, order_id)
            row.whmcs_order_id = known.order_id
            record(session, Tag.ORDER_BILLED, user_id=row.user_id, detail={"order": str(order_id)})
            await self._note(session, row, "billing_created", stage="being_set_up")
        await self._tell(order)
        return known

    async def _note_billing_try(self, order_id: UUID) -> None:
        async with self._database.unit_of_work() as session:
            row = await _locked(session, order_id)
            if row.billing_tried_at is not None and now() < row.billing_tried_at + self._settle:
                raise OutcomeUnknown("an earlier call may still be running", vendor="whmcs")
            row.billing_tried_at = now()

    async def _add_billing_order(self, order: Order, customer: Customer, reference: str) -> BillingOrder:
        lines = [line for line in order.lines if line.whmcs_product_id is not None]
        try:
            return await self._gateway.add_order(customer.whmcs_client_id, lines, reference=reference)
        except (ExternalUnavailable, ExternalRejected):
            # WHMCS said no, or never got it: the next try need not wait.
            async with self._database.unit_of_work() as session:
                (await _locked(session, order.id)).billing_tried_at = None
            raise

    async def accept_billing_order(self, order_id: UUID) -> None:
        """Accept the WHMCS order, which sets the service up."""
        order, _ = await self._order(order_id)
        if order.whmcs_order_id is None:
            raise NotFound("not billed yet")
        await self._gateway.accept_order(order.whmcs_order_id)
        await self._move(order_id, "service_set_up", stage="being_set_up")

    async def record_in_salesforce(self, order_id: UUID, billing: BillingOrder) -> None:
        """Write the WHMCS ids back, then the status: last, so that it is never ahead of the truth."""
        order, _ = await self._order(order_id)
        await self._crm.order_billed(order.sf_order_id, billing=billing)
        await self._crm.order_activated(order.sf_order_id)

    async def announce_active(self, order_id: UUID) -> None:
        """Show the order as active, mail it, and let open pages read services and invoices anew."""
        _, customer = await self._order(order_id)
        await self._billing.invoices_changed(customer)
        await self._subscriptions.changed(customer)
        await self._move(order_id, "active", stage="active", mail="order_active", tag=Tag.ORDER_ACTIVATED)

    async def fail(self, order_id: UUID, *, code: str, message: str) -> None:
        """Park an order for attention, with the reason for the agents and none of it for the customer."""
        order, _ = await self._order(order_id)
        await self._move(order_id, f"failed_{code}"[:60], stage="needs_attention", tag=Tag.ORDER_FAILED)
        if order.sf_order_id:
            await self._crm.order_failed(order.sf_order_id, code=code[:80], message=message[:255])

    async def _order(self, order_id: UUID) -> tuple[Order, Customer]:
        async with self._database.unit_of_work() as session:
            row = await session.get(OrderRow, order_id)
            mapping = await session.get(IdMapping, row.user_id) if row else None
        if row is None or mapping is None:
            raise NotFound("no such order")
        return row.to_domain(), mapping.to_domain()

    async def _move(
        self, order_id: UUID, step: str, *, stage: OrderStage, mail: str | None = None, tag: Tag | None = None
    ) -> None:
        async with self._database.unit_of_work() as session:
            row = await _locked(session, order_id)
            is_new = await self._note(session, row, step, stage=stage)
            if is_new and mail:
                await self._mail(session, row, mail)
            if is_new and tag:
                record(session, tag, user_id=row.user_id, detail={"order": str(order_id)})
            order = row.to_domain()
        await self._tell(order)

    @staticmethod
    async def _note(
        session: AsyncSession, row: OrderRow, step: str, *, stage: OrderStage, source: str = "system"
    ) -> bool:
        """Add a step to the timeline once per attempt; say whether it is new."""
        row.stage, row.updated_at = stage, now()
        values = {
            "order_id": row.id,
            "attempt": row.attempt,
            "step": step,
            "user_id": row.user_id,
            "at": now(),
            "source": source,
            "detail": "",
        }
        connection = await session.connection()
        added = insert(OrderEventRow).values(values).on_conflict_do_nothing().returning(col(OrderEventRow.step))
        # A row comes back for a new one alone; the count of such a statement says nothing.
        return (await connection.execute(added)).first() is not None

    async def _mail(self, session: AsyncSession, row: OrderRow, occasion: str) -> None:
        user = await session.get(User, row.user_id)
        if user is not None:
            await self._notifications.mail(
                session,
                occasion,
                recipient=user.email,
                user_id=user.id,
                title=row.to_domain().title,
                order_id=str(row.id),
            )

    async def _tell(self, order: Order) -> None:
        await self._live.publish(Change(order.user_id, "orders", str(order.id)))


def _is_echo(row: OrderRow, stage: OrderStage) -> bool:
    """Say whether this is our own write-back: the provisioning that made it announces the order itself."""
    return stage == "active" and row.stage == "being_set_up" and row.whmcs_order_id is not None


async def _locked(session: AsyncSession, order_id: UUID) -> OrderRow:
    row = await session.get(OrderRow, order_id, with_for_update=True)
    if row is None:
        raise NotFound("no such order")
    return row
