"""How far an order is: its row, its timeline, and who is told when it moves."""

from typing import Any
from uuid import UUID

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

# How the steps are called by which an order stops.
STOPPED = ("failed_", "waiting_for_")


class OrderTimeline:
    """Read an order with its customer, and move it on: timeline, mail, audit and open pages."""

    def __init__(self, database: Database, notifications: EmailOutbox, live: LiveUpdates) -> None:
        self.database = database
        self._notifications = notifications
        self._live = live

    async def order(self, order_id: UUID) -> tuple[Order, Customer]:
        """Return an order and whose it is. Raises NotFound."""
        async with self.database.unit_of_work() as session:
            row = await session.get(OrderRow, order_id)
            mapping = await session.get(IdMapping, row.user_id) if row else None
        if row is None or mapping is None:
            raise NotFound("no such order")
        return row.to_domain(), mapping.to_domain()

    async def category(self, order_id: UUID) -> str:
        """Return what kind of service was ordered. Raises NotFound."""
        return (await self.order(order_id))[0].category

    async def move(
        self,
        order_id: UUID,
        step: str,
        *,
        stage: OrderStage,
        mail: str | None = None,
        notice: str | None = None,
        tag: Tag | None = None,
    ) -> None:
        """Note a step in a transaction of its own and tell open pages; the rest happens once, with the step.

        `mail` tells the customer by mail and in the portal, `notice` in the portal only, `tag` the audit.
        """
        async with self.database.unit_of_work() as session:
            row = await lock_order(session, order_id)
            is_new = await self.record_step(session, row, step, stage=stage)
            if is_new and mail:
                await self.notify(session, row, mail)
            if is_new and notice:
                await notice_of_order(session, row, notice)
            if is_new and tag:
                record(session, tag, user_id=row.user_id, detail={"order": str(order_id)})
            order = row.to_domain()
        await self.publish(order)

    async def record_step(
        self, session: AsyncSession, row: OrderRow, step: str, *, stage: OrderStage, source: str = "system"
    ) -> bool:
        """Add a step to the timeline once per attempt; say whether it is new.

        A turn (see `is_turn`) may come again later; then it is written once more, with the time it came.
        """
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
        # A row comes back for a new one alone; the count of such a statement says nothing.
        return (await connection.execute(added)).first() is not None

    async def notify(self, session: AsyncSession, row: OrderRow, occasion: str) -> None:
        """Tell the customer about the order, by mail and in the portal, in the caller's transaction."""
        user, title = await session.get(User, row.user_id), row.to_domain().title
        if user is not None:
            about = {"title": title, "order_id": str(row.id)}
            await self._notifications.mail(session, occasion, recipient=user.email, user_id=user.id, **about)
        await notice_of_order(session, row, occasion)

    async def publish(self, order: Order) -> None:
        """Let open pages read the order anew, and what was told about it."""
        await self._live.publish(Change(order.user_id, "orders", str(order.id)))
        await self._live.publish(Change(order.user_id, "notices", ""))


async def notice_of_order(session: AsyncSession, row: OrderRow, occasion: str) -> None:
    """Raise a notice about an order in the caller's transaction."""
    order = row.to_domain()
    await raise_notice(
        session,
        occasion,
        user_id=row.user_id,
        source_id=str(row.id),
        subject=order.title,
        path=f"/orders/{order.id}",
    )


def is_repeatable(step: str) -> bool:
    """Say whether a step may come several times: the order stopped, or went on after it had."""
    return step in ("approved", "card_added", "identity_verified") or step.startswith(STOPPED)


async def lock_order(session: AsyncSession, order_id: UUID) -> OrderRow:
    """Return an order's row, locked for this transaction. Raises NotFound."""
    row = await session.get(OrderRow, order_id, with_for_update=True)
    if row is None:
        raise NotFound("no such order")
    return row


async def _name_of(session: AsyncSession, row: OrderRow, step: str) -> str:
    """Return the step's name, numbered where it came before and something else happened since."""
    query = select(OrderEventRow.step).where(OrderEventRow.order_id == row.id, OrderEventRow.attempt == row.attempt)
    steps = list((await session.exec(query.order_by(col(OrderEventRow.at)))).all())
    before = [name for name in steps if name.partition("#")[0] == step]
    if not before:
        return step
    # Approvals are told again by every event: one counts as new only after the order had stopped.
    stopped = any(name.startswith(STOPPED) for name in steps[steps.index(before[-1]) + 1 :])
    is_repeated = stopped if step == "approved" else steps[-1] != before[-1]
    return f"{step}#{len(before) + 1}" if is_repeated else before[-1]
