"""Where purchases of data stand: read, moved on with what customers are told of it, and woken by events."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID, uuid4

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.top_up import TopUpReason, TopUpState, after_refusal
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue, WakeTopic
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.sim_line import SimLineRow
from portal_app.models.top_up import TopUpRow
from portal_app.models.user import IdMapping
from portal_app.services.audit import Tag, record
from portal_app.services.billing.invoices import Billing
from portal_app.services.notifications.notices import raise_notice
from portal_app.services.sim.top_ups import detail_of, workflow_of

# What follows from a purchase elsewhere, in the transaction of its move.
Moved = Callable[[AsyncSession, TopUpRow], Awaitable[None]]
# States of which customers get a notice.
_NOTICES: dict[TopUpState, str] = {
    "confirm": "top_up_confirm",
    "done": "top_up_done",
    "stopped": "top_up_stopped",
    "with_team": "top_up_with_team",
    "unclear": "top_up_with_team",
}
_TAGS: dict[TopUpState, Tag] = {
    "paid": Tag.TOP_UP_PAID,
    "done": Tag.TOP_UP_DONE,
    "stopped": Tag.TOP_UP_STOPPED,
    "with_team": Tag.TOP_UP_WITH_TEAM,
}
_WAITING = ("charging", "confirm", "unclear")
_log = structlog.get_logger(__name__)


class TopUpProgress:
    """Reads and moves purchases; runs in the worker."""

    def __init__(
        self, database: Database, queue: DurableQueue, *, live: LiveUpdates, billing: Billing, moved: Moved
    ) -> None:
        self.database = database
        self._queue = queue
        self._live = live
        self._billing = billing
        self._moved = moved

    async def read(self, top_up_id: UUID) -> tuple[TopUpRow, Customer]:
        """Return a purchase and its customer. Raises NotFound."""
        async with self.database.unit_of_work() as session:
            row = await TopUpRow.locked(session, top_up_id)
            return row, await IdMapping.customer_of(session, row.user_id)

    async def state_of(self, top_up_id: UUID) -> TopUpState:
        """Return where a purchase stands."""
        return (await self.read(top_up_id))[0].standing_state

    async def move(self, top_up_id: UUID, state: TopUpState, reason: TopUpReason = "", **changes: object) -> TopUpState:
        """Set the state and other columns, and tell the customer where that is news; return the state."""
        async with self.database.unit_of_work() as session:
            row = await TopUpRow.locked(session, top_up_id)
            for name, value in changes.items():
                setattr(row, name, value)
            was_late = row.state == "late"
            is_news = row.move(state, reason) and not (was_late and state == "stopped")
            if is_news and (tag := _TAGS.get(state)):
                record(session, tag, user_id=row.user_id, detail=detail_of(row))
            # Of data bought by themselves another notice tells.
            if is_news and (kind := _NOTICES.get(state)) and not (row.is_automatic and state == "done"):
                await _tell(session, row, kind)
            if is_news:
                await self._moved(session, row)
            customer = await IdMapping.customer_of(session, row.user_id)
        if is_news or changes:
            _log.info("top_up.moved", state=state, reason=row.reason)
            await self._publish(row, customer)
        return state

    async def after_refusal(self, top_up_id: UUID, state: TopUpState, code: str) -> TopUpState:
        """Move a purchase on whose step was refused, or was not possible for a day."""
        following = after_refusal(state)
        reasons: dict[TopUpState, TopUpReason] = {"stopping": "refused", "asking": "unclear", "owed": "not_delivered"}
        _log.warning("top_up.refused", state=state, code=code, following=following)
        return await self.move(top_up_id, following, reasons.get(following, ""))

    async def wake(self, invoice_ids: Sequence[int]) -> int:
        """Have purchases of some invoices look at their payment; return how many are looked at. Safe to repeat.

        One that was stopped is looked at too: an invoice may be paid afterwards, by hand or on WHMCS's page.
        """
        if not invoice_ids:
            return 0
        woken = 0
        async with self.database.unit_of_work() as session:
            for row in await TopUpRow.of_invoices(session, invoice_ids):
                name = workflow_of(row.id)
                if row.state in _WAITING:
                    await self._queue.send(session, name, "look", topic=WakeTopic.TOP_UP, key=uuid4().hex)
                    woken += 1
                elif row.state == "stopped":
                    row.state, row.ended_at = "late", None
                    await self._queue.enqueue(session, "top_up", f"{name}-{uuid4().hex}", str(row.id))
                    woken += 1
        return woken

    async def _publish(self, row: TopUpRow, customer: Customer) -> None:
        """Let open pages read the line, its invoices and notices again."""
        await self._billing.mark_stale(customer)
        await self._live.publish(Change(row.user_id, "orders", str(row.service_id)))
        await self._live.publish(Change(row.user_id, "billing", ""))
        await self._live.publish(Change(row.user_id, "notices", ""))


async def _tell(session: AsyncSession, row: TopUpRow, kind: str) -> None:
    line = await session.get(SimLineRow, row.service_id)
    await raise_notice(
        session,
        kind,
        user_id=row.user_id,
        source_id=str(row.id),
        subject=f"{row.gigabytes} GB" + (f" …{line.number[-4:]}" if line and line.number else ""),
        path=f"/subscriptions/{row.service_id}",
    )
