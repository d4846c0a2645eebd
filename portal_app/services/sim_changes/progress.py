"""Where changes of lines stand, in the worker: read, moved on with what customers are told, and waited for."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim_changes.line_order import (
    ENDED,
    WITHDRAWABLE,
    LineOrderReason,
    LineOrderState,
    after_refusal,
)
from portal_app.domain.sim_changes.plan_change import begins_at
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.models.cancellation import CancellationRow
from portal_app.models.line_change import LineChangeRow
from portal_app.models.line_order import LineOrderRow
from portal_app.models.sim_line import SimLineRow
from portal_app.models.user import IdMapping
from portal_app.services.audit import Tag, record
from portal_app.services.billing.invoices import Billing
from portal_app.services.sim_changes.announcements import LineAnnouncements
from portal_app.services.sim_changes.line_orders import detail_of, locked_until, seconds_until
from portal_app.services.subscriptions.subscriptions import Subscriptions

_TAGS: dict[LineOrderState, Tag] = {
    "done": Tag.LINE_ORDER_DONE,
    "covered": Tag.LINE_ORDER_DONE,
    "failed": Tag.LINE_ORDER_FAILED,
    "stopped": Tag.LINE_ORDER_FAILED,
    "with_team": Tag.LINE_ORDER_WITH_TEAM,
}
_log = structlog.get_logger(__name__)


class LineOrderProgress:
    """Reads and moves changes; runs in the worker."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        announcements: LineAnnouncements,
        *,
        live: LiveUpdates,
        billing: Billing,
        subscriptions: Subscriptions,
    ) -> None:
        self._settings = settings
        self.database = database
        self._tell = announcements
        self._live = live
        self._billing = billing
        self._subscriptions = subscriptions

    async def read(self, order_id: UUID) -> tuple[LineOrderRow, Customer]:
        """Return a change and its customer. Raises NotFound."""
        async with self.database.unit_of_work() as session:
            row = await LineOrderRow.locked(session, order_id)
            return row, await IdMapping.customer_of(session, row.user_id)

    async def state_of(self, order_id: UUID) -> LineOrderState:
        """Return where a change stands."""
        return (await self.read(order_id))[0].standing_state

    async def move(
        self, order_id: UUID, state: LineOrderState, reason: LineOrderReason = "", **changes: object
    ) -> LineOrderState:
        """Set the state and other columns, and tell the customer where that is news; return the state."""
        async with self.database.unit_of_work() as session:
            row = await LineOrderRow.locked(session, order_id)
            # What waits for its bill was told when the line showed it, however often it waits.
            was_told = row.bill_from is not None and state in ("covered", "done")
            for name, value in changes.items():
                setattr(row, name, value)
            is_news = await self._apply(session, row, state, reason, was_told=was_told)
            customer = await IdMapping.customer_of(session, row.user_id)
        if is_news:
            await self._publish(row, customer)
        return state

    async def after_refusal(self, order_id: UUID, state: LineOrderState, code: str) -> LineOrderState:
        """Move a change on whose step was refused, or was not possible for a day."""
        following, reason = after_refusal(state, code)
        _log.warning("line_order.refused", state=state, code=code, following=following)
        return await self.move(order_id, following, reason)

    async def seconds_to_wait(self, order_id: UUID) -> float:
        """Return how long nothing has to be done about a change; 0 where its next step is due."""
        row, _ = await self.read(order_id)
        own = self._settings
        if row.state in WITHDRAWABLE:
            return seconds_until(row.sends_at)
        if row.state == "changing":
            poll = timedelta(seconds=own.freebit_poll_seconds)
            if row.kind == "network" and row.polled_at is None:
                # The carrier names half an hour for it.
                return seconds_until(row.sent_at, grace=timedelta(seconds=own.freebit_lock_seconds))
            return seconds_until(row.polled_at or row.sent_at, grace=poll)
        if row.state == "booked":
            begins = begins_at(row.effective_on) if row.effective_on else now()
            if begins > now():
                return seconds_until(begins)
            return seconds_until(row.polled_at, grace=timedelta(seconds=own.portal_plan_poll_seconds))
        return seconds_until(row.bill_from) if row.state == "covered" else 0.0

    async def claim(self, order_id: UUID) -> LineOrderState:
        """Take a change whose time has come: from then on it cannot be withdrawn; return its state.

        One that waits for a free line waits on while another change locks it. A service that ends keeps its plan.
        """
        async with self.database.unit_of_work() as session:
            row = await LineOrderRow.locked(session, order_id)
            if row.state not in WITHDRAWABLE or seconds_until(row.sends_at) > 0:
                return row.standing_state
            is_ending = await CancellationRow.open_of(session, row.user_id, row.service_id) is not None
            if not is_ending and row.kind != "plan" and (until := await locked_until(session, row)):
                row.sends_at = until
                return row.standing_state
            await self._apply(session, row, "stopped" if is_ending else "sending", "ending" if is_ending else "")
            customer = await IdMapping.customer_of(session, row.user_id)
        await self._publish(row, customer)
        return row.standing_state

    async def number_of(self, row: LineOrderRow) -> str | None:
        """Return the number of a change's line, None where the line is not the service's any more."""
        async with self.database.unit_of_work() as session:
            line = await SimLineRow.of_service(session, row.user_id, row.service_id)
        is_same = line is not None and line.is_linked and line.number_index == row.line
        return line.number if line is not None and is_same else None

    async def is_ending(self, row: LineOrderRow) -> bool:
        """Return whether the end of a change's service is asked for."""
        async with self.database.unit_of_work() as session:
            return await CancellationRow.open_of(session, row.user_id, row.service_id) is not None

    async def own_change(self, row: LineOrderRow, wish: dict[str, str]) -> LineChangeRow | None:
        """Return what is noted of the carrier's work on a change: it was sent, or was about to be."""
        async with self.database.unit_of_work() as session:
            rows = await LineChangeRow.of_line(session, row.line)
        own = [each for each in rows if each.wanted == wish and each.started_at >= row.asked_at]
        return own[-1] if own else None

    async def forget_change(self, row: LineOrderRow, kinds: tuple[str, ...]) -> None:
        """Release locks of a change that the line shows, and have the next page read the line."""
        async with self.database.unit_of_work() as session:
            await LineChangeRow.delete(session, row.line, kinds)
            await _note_stale(session, row)

    async def waiting(self) -> list[str]:
        """Return the ids of changes that wait for a moment."""
        async with self.database.unit_of_work() as session:
            return [str(each) for each in await LineOrderRow.waiting(session)]

    async def _apply(
        self,
        session: AsyncSession,
        row: LineOrderRow,
        state: LineOrderState,
        reason: LineOrderReason,
        *,
        was_told: bool = False,
    ) -> bool:
        """Set the state in the caller's transaction, with audit, notice and mail; return whether it is news."""
        is_news = row.move(state, reason) and not was_told
        if is_news and (tag := _TAGS.get(state)):
            record(session, tag, user_id=row.user_id, detail=detail_of(row))
        if is_news and (kind := _notice_of(row)):
            await self._tell.customer(session, row, kind)
        if is_news:
            _log.info("line_order.moved", kind=row.kind, state=state, reason=row.reason)
        return is_news

    async def _publish(self, row: LineOrderRow, customer: Customer) -> None:
        """Let open pages read the line, its bills and notices again."""
        if row.state in ENDED and row.kind != "network":
            await self._billing.mark_stale(customer)
            await self._subscriptions.mark_stale(customer)
            await self._live.publish(Change(row.user_id, "billing", ""))
        await self._live.publish(Change(row.user_id, "orders", str(row.service_id)))
        await self._live.publish(Change(row.user_id, "notices", ""))


def _notice_of(row: LineOrderRow) -> str:
    if row.state in ("failed", "stopped"):
        return "line_change_failed"
    if row.state in ("done", "covered"):
        return "plan_changed" if row.kind == "plan" else "line_changed"
    return "line_order_with_team" if row.state == "with_team" else ""


async def _note_stale(session: AsyncSession, row: LineOrderRow) -> None:
    line = await session.get(SimLineRow, row.service_id, with_for_update=True)
    if line is not None:
        line.read_at = None
