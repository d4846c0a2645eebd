"""The progress of an order: advances it with timeline, mail, notice, audit and live update."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound
from portal_app.domain.orders.order import Order, OrderStage
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.order import OrderEventRow, OrderRow
from portal_app.models.user import IdMapping, User
from portal_app.services.audit import Tag, record
from portal_app.services.notifications.email_outbox import EmailOutbox
from portal_app.services.notifications.notices import raise_notice

# Prefixes of the steps at which an order stops.
_log = structlog.get_logger(__name__)
STOPPED = ("failed_", "waiting_for_")


class OrderTimeline:
    """Reads an order with its customer, and advances it."""

    def __init__(self, database: Database, email_outbox: EmailOutbox, live: LiveUpdates) -> None:
        self.database = database
        self._email_outbox = email_outbox
        self._live = live

    async def order(self, order_id: UUID) -> tuple[Order, Customer]:
        """Return an order and its customer. Raises NotFound."""
        async with self.database.unit_of_work() as session:
            row = await session.get(OrderRow, order_id)
            if row is None:
                raise NotFound("no such order")
            return row.to_domain(), await IdMapping.customer_of(session, row.user_id)

    async def category(self, order_id: UUID) -> str:
        """Return the category of the ordered service. Raises NotFound."""
        return (await self.order(order_id))[0].category

    async def advance(
        self,
        order_id: UUID,
        step: str,
        *,
        stage: OrderStage,
        mail: str | None = None,
        notice: str | None = None,
        tag: Tag | None = None,
    ) -> None:
        """Record a step in its own transaction and update open pages.

        The first time the step is recorded, `mail` notifies the customer by mail and in the portal, `notice` in the
        portal only, and `tag` is written to the audit.
        """
        async with self.database.unit_of_work() as session:
            row = await lock_order(session, order_id)
            is_new = await self.record_step(session, row, step, stage=stage)
            if is_new and mail:
                await self.notify(session, row, mail)
            if is_new and notice:
                await raise_order_notice(session, row, notice)
            if is_new and tag:
                record(session, tag, user_id=row.user_id, detail={"order": str(order_id)})
            order = row.to_domain()
        await self.publish(order)

    async def record_step(
        self, session: AsyncSession, row: OrderRow, step: str, *, stage: OrderStage, source: str = "system"
    ) -> bool:
        """Add a step to the timeline, once per attempt, and return whether it is new.

        A repeatable step (see `is_repeatable`) is added again if other steps came in between.
        """
        if row.stage != stage:
            before = row.stage
            # A transaction that is rolled back has moved nothing.
            sa.event.listen(session.sync_session, "after_commit", lambda _: log_stage(row, before=before), once=True)
        row.stage, row.updated_at = stage, now()
        values: dict[str, Any] = {
            "order_id": row.id,
            "attempt": row.attempt,
            "step": await _name_of(session, row, step) if is_repeatable(step) else step,
            "user_id": row.user_id,
            "at": now(),
            "source": source,
            "detail": "",
        }
        connection = await session.connection()
        added = insert(OrderEventRow).values(values).on_conflict_do_nothing().returning(col(OrderEventRow.step))
        # RETURNING yields a row only for a new step; the row count of ON CONFLICT DO NOTHING is not reliable.
        return (await connection.execute(added)).first() is not None

    async def notify(self, session: AsyncSession, row: OrderRow, template: str) -> None:
        """Notify the customer about the order by mail and in the portal, in the caller's transaction."""
        user, title = await session.get(User, row.user_id), row.to_domain().title
        if user is not None:
            about = {"title": title, "order_id": str(row.id)}
            await self._email_outbox.enqueue(session, template, recipient=user.email, user_id=user.id, **about)
        await raise_order_notice(session, row, template)

    async def publish(self, order: Order) -> None:
        """Make open pages reload the order and the notices."""
        await self._live.publish(Change(order.user_id, "orders", str(order.id)))
        await self._live.publish(Change(order.user_id, "notices", ""))


def log_stage(row: OrderRow, *, before: str) -> None:
    """Log that an order has come to its stage. By these lines an order is followed through all processes."""
    _log.info("order.stage", order=str(row.id), stage=row.stage, before=before, attempt=row.attempt)


async def raise_order_notice(session: AsyncSession, row: OrderRow, template: str) -> None:
    """Raise a notice about an order in the caller's transaction."""
    order = row.to_domain()
    _log.info("order.notice", order=str(row.id), kind=template)
    await raise_notice(
        session,
        template,
        user_id=row.user_id,
        source_id=str(row.id),
        subject=order.title,
        path=f"/orders/{order.id}",
    )


def is_repeatable(step: str) -> bool:
    """Return whether a step can occur several times: the order stopped, or continued after a stop."""
    return step in ("approved", "card_added", "identity_verified") or step.startswith(STOPPED)


async def lock_order(session: AsyncSession, order_id: UUID) -> OrderRow:
    """Return an order's row, locked for this transaction. Raises NotFound."""
    row = await session.get(OrderRow, order_id, with_for_update=True)
    if row is None:
        raise NotFound("no such order")
    return row


async def _name_of(session: AsyncSession, row: OrderRow, step: str) -> str:
    """Return the step's name, with a counter if it occurred before and other steps came in between."""
    query = select(OrderEventRow.step).where(OrderEventRow.order_id == row.id, OrderEventRow.attempt == row.attempt)
    steps = list((await session.exec(query.order_by(col(OrderEventRow.at)))).all())
    before = [name for name in steps if name.partition("#")[0] == step]
    if not before:
        return step
    # Every event reports the approval again: it counts as new only if the order stopped after the last one.
    stopped = any(name.startswith(STOPPED) for name in steps[steps.index(before[-1]) + 1 :])
    is_repeated = stopped if step == "approved" else steps[-1] != before[-1]
    return f"{step}#{len(before) + 1}" if is_repeated else before[-1]
