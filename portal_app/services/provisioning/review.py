"""Review: an order handed over to Salesforce, and what agents decide there."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from portal_app.domain.identifiers import our_id_or_none
from portal_app.domain.orders.order import NewSalesforceOrder, Order, OrderStage, SalesforceOrder
from portal_app.domain.ports.crm import CrmGateway
from portal_app.infra.clock import now
from portal_app.infra.tasks.current_order import set_current_order
from portal_app.models.order import OrderEventRow, OrderRow
from portal_app.models.user import IdMapping
from portal_app.services.audit import Tag, record
from portal_app.services.orders.timeline import OrderTimeline, lock_order, log_stage

CARD_MISSING, IDENTITY_MISSING = "PAYMENT_METHOD_MISSING", "IDENTITY_NOT_VERIFIED"
_STEPS = {"being_set_up": "approved", "needs_attention": "needs_attention"}


@dataclass(frozen=True, slots=True)
class Pause:
    """An approved order that waits for its customer: its steps, how the customer is told, what the agent reads."""

    waits: str
    goes_on: str
    reason: str
    mail: str | None = None
    notice: str | None = None


PAUSES = {
    CARD_MISSING: Pause(
        "waiting_for_card", "card_added", "The customer has no payment method.", mail="order_needs_card"
    ),
    IDENTITY_MISSING: Pause(
        "waiting_for_identity",
        "identity_verified",
        "Identity not verified: check the document among the account's files, set Id_Verification_Status__c.",
        notice="order_needs_identity",
    ),
}
_MAILS: dict[OrderStage, str] = {"not_accepted": "order_not_accepted", "active": "order_active"}


class OrderReview:
    """Hand orders over, take over what agents decide, and write back what became of them."""

    def __init__(self, progress: OrderTimeline, crm: CrmGateway) -> None:
        self._progress = progress
        self._database = progress.database
        self._crm = crm

    async def hand_over(self, order_id: UUID) -> str:
        """Create the order in Salesforce for review and return its id there. Safe to repeat."""
        order, customer = await self._progress.order(order_id)
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
            row = await lock_order(session, order_id)
            row.sf_order_id = sf_order_id
            # An agent may have decided before we heard that the order arrived: never move it back.
            stage: OrderStage = "in_review" if row.stage == "received" else cast(OrderStage, row.stage)
            if await self._progress.record_step(session, row, "in_review", stage=stage):
                record(session, Tag.ORDER_HANDED_OVER, user_id=row.user_id, detail={"order": str(order_id)})
        await self._progress.publish(order)
        return sf_order_id

    async def read(self, sf_order_id: str) -> SalesforceOrder:
        """Read how the review stands from Salesforce."""
        return await self._crm.order(sf_order_id)

    async def order_of(self, sf_order: SalesforceOrder) -> Order | None:
        """Return our order of a Salesforce order, or None where the portal has none."""
        async with self._database.unit_of_work() as session:
            row = await OrderRow.by_salesforce_id(session, sf_order.id)
            if row is None and (order_id := our_id_or_none(sf_order.portal_order_id)):
                row = await session.get(OrderRow, order_id)
            return row.to_domain() if row else None

    async def adopt(self, sf_order: SalesforceOrder) -> Order | None:
        """Take in an order that agents made for a customer of ours; None for anybody else's. Safe to repeat."""
        if sf_order.portal_order_id:
            return None
        async with self._database.unit_of_work() as session:
            mapping = await IdMapping.by_account(session, sf_order.account_id)
        if mapping is None:
            return None
        lines = await self._crm.order_lines(sf_order.id)
        number = sf_order.whmcs_order_id
        row = OrderRow(
            user_id=mapping.user_id,
            category=sf_order.category,
            stage=sf_order.stage,
            lines=[line.to_json() for line in lines],
            # Salesforce's clock may be ahead of ours: nothing is placed after it was reviewed.
            placed_at=min(sf_order.created_at or now(), now()),
            sf_order_id=sf_order.id,
            whmcs_order_id=int(number) if number.isdecimal() else None,
        )
        try:
            await self._write(row)
        except IntegrityError:
            return await self.order_of(sf_order)  # another event of it came at the same time
        log_stage(row, before="")
        await self._progress.publish(row.to_domain())
        return row.to_domain()

    async def claim(self, order: Order, sf_order: SalesforceOrder) -> None:
        """Let Salesforce know our id of an order that agents made. Safe to repeat."""
        if not sf_order.portal_order_id:
            await self._crm.claim_order(sf_order.id, order.id)

    async def _write(self, row: OrderRow) -> None:
        steps = (("placed", row.placed_at), (_STEPS.get(row.stage, row.stage), now()))
        async with self._database.unit_of_work() as session:
            session.add(row)
            await session.flush()
            for step, at in steps:
                session.add(
                    OrderEventRow(
                        order_id=row.id, attempt=row.attempt, step=step, user_id=row.user_id, at=at, source="staff"
                    )
                )
            record(session, Tag.ORDER_PLACED, user_id=row.user_id, actor="staff", detail={"order": str(row.id)})

    async def waiting_for_customer(self, user_id: UUID) -> list[tuple[str, int]]:
        """Return a customer's orders that stopped, perhaps for want of something of theirs, each with its attempt."""
        query = select(OrderRow).where(OrderRow.user_id == user_id, OrderRow.stage == "needs_attention")
        async with self._database.unit_of_work() as session:
            rows = (await session.exec(query)).all()
        return [(str(row.id), row.attempt) for row in rows]

    async def waiting_for_day(self) -> list[tuple[str, int]]:
        """Return the orders that wait for the day they were ordered for, each with its attempt."""
        last = select(OrderEventRow.step).where(OrderEventRow.order_id == OrderRow.id)
        last = last.order_by(col(OrderEventRow.at).desc()).limit(1)
        query = select(OrderRow).where(OrderRow.stage == "being_set_up", last.scalar_subquery() == "scheduled")
        async with self._database.unit_of_work() as session:
            rows = (await session.exec(query)).all()
        return [(str(row.id), row.attempt) for row in rows]

    async def show_approval(self, sf_order_id: str) -> None:
        """Show an approval ahead of the durable work, which may take its time and applies it again.

        Only an order in review moves: what stopped since, or goes on again, is the workflow's.
        """
        found = await self._crm.order(sf_order_id)
        if found.stage == "being_set_up" and (order := await self.order_of(found)) is not None:
            set_current_order(order.id)
            await self.apply(order.id, found, only_from="in_review")

    async def apply(
        self,
        order_id: UUID,
        sf_order: SalesforceOrder,
        *,
        only_from: OrderStage | None = None,
        asked_at: datetime | None = None,
    ) -> bool:
        """Take over what an agent decided: approved, not accepted, cancelled. Never moves an active order back.

        False where the order has moved since Salesforce was asked: what was read may be older than that, read again.
        """
        async with self._database.unit_of_work() as session:
            row = await lock_order(session, order_id)
            stage = sf_order.stage
            if row.stage in ("active", stage) or stage == "in_progress" or _is_echo(row, stage):
                return True
            if only_from is not None and row.stage != only_from:
                return True
            if asked_at is not None and row.updated_at > asked_at:
                return False
            row.sf_order_id = sf_order.id
            is_new = await self._progress.record_step(session, row, _step_for(sf_order), stage=stage, source="staff")
            if is_new and stage in _MAILS:
                await self._progress.notify(session, row, _MAILS[stage])
            order = row.to_domain()
        await self._progress.publish(order)
        return True

    async def approval(self, order_id: UUID, attempt: int) -> str:
        """Guard: say whether Salesforce has the order as approved, now; a cancelled one may still say Activating.

        The code of a pause is approved too: we stopped it ourselves until the customer brings what is missing. An
        attempt that an operator took back is approved no more.
        """
        order, _ = await self._progress.order(order_id)
        if order.attempt != attempt:
            return "no"
        review = await self._crm.order(order.sf_order_id)
        if review.stage == "being_set_up":
            return "approved"
        return review.error_code if review.stage == "needs_attention" and review.error_code in PAUSES else "no"

    async def pause(self, order_id: UUID, code: str) -> None:
        """Tell the customer what the order waits for; Salesforce sees why."""
        (order, _), pause = await self._progress.order(order_id), PAUSES[code]
        await self._progress.advance(
            order_id, pause.waits, stage="needs_attention", mail=pause.mail, notice=pause.notice
        )
        # Salesforce last: an agent who sees it there can approve again, and finds the order already parked.
        await self._crm.order_failed(order.sf_order_id, code=code, message=pause.reason)

    async def go_on(self, order_id: UUID, code: str) -> None:
        """Take the order up again: the agent's approval still stands, and what was missing is there."""
        order, _ = await self._progress.order(order_id)
        await self._crm.order_resumed(order.sf_order_id)
        await self._progress.advance(order_id, PAUSES[code].goes_on, stage="being_set_up")

    async def fail(self, order_id: UUID, *, code: str, message: str) -> None:
        """Park an order for attention, with the reason for the agents only, not for the customer."""
        order, _ = await self._progress.order(order_id)
        await self._progress.advance(
            order_id, f"failed_{code}"[:56], stage="needs_attention", notice="order_stopped", tag=Tag.ORDER_FAILED
        )
        if order.sf_order_id:
            await self._crm.order_failed(order.sf_order_id, code=code[:80], message=message[:255])


def _step_for(sf_order: SalesforceOrder) -> str:
    """Name how Salesforce has an order on its timeline; a pause of ours that comes back says what it waits for."""
    pause = PAUSES.get(sf_order.error_code) if sf_order.stage == "needs_attention" else None
    return pause.waits if pause else _STEPS.get(sf_order.stage, sf_order.stage)


def _is_echo(row: OrderRow, stage: OrderStage) -> bool:
    """Say whether this is our own write-back: the provisioning that made it announces the order itself."""
    return stage == "active" and row.stage == "being_set_up" and row.whmcs_order_id is not None
