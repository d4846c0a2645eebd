"""What became of changes of lines, in the worker: the carrier accepts them and tells nothing afterwards."""

from datetime import timedelta
from typing import Literal

import sqlalchemy as sa
import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound
from portal_app.domain.ports.sim import SimLines
from portal_app.domain.sim.line_change import LineChange, outcome_of
from portal_app.domain.sim.sim import SimLine
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.security.secrets import key_ring_of
from portal_app.infra.settings import Settings
from portal_app.models.line_change import ICCID_PLACE, LineChangeRow
from portal_app.models.sim_line import SimLineRow
from portal_app.services.notifications.notices import raise_notice

# Lines that one run of the schedule reads.
_MOST = 20
# How long rows stay that nobody watches, or that failed.
_KEPT = timedelta(days=8)
_log = structlog.get_logger(__name__)
Settled = Literal["done", "failed", "pending", "gone"]


class LineChanges:
    """Look at changes whose longest time has passed: done, or not carried out, and then their customer is told."""

    def __init__(self, settings: Settings, database: Database, lines: SimLines, *, live: LiveUpdates) -> None:
        self._grace = timedelta(seconds=settings.freebit_poll_seconds)
        self._database = database
        self._lines = lines
        self._live = live
        self._ring = key_ring_of(settings)

    async def overdue(self) -> list[int]:
        """Return the services whose line has a change to look at, the oldest first, some dozens at most.

        Changes of lines that belong to no service are forgotten when their locks are over.
        """
        moment = now()
        watched = sa.and_(col(LineChangeRow.state) == "open", LineChangeRow.has_wish())
        query = (
            select(SimLineRow.service_id)
            .join(LineChangeRow, col(LineChangeRow.line) == col(SimLineRow.number_index))
            .where(watched, col(LineChangeRow.held_until) < moment - self._grace)
            .group_by(col(SimLineRow.service_id))
            .order_by(sa.func.min(LineChangeRow.held_until))
            .limit(_MOST)
        )
        old = sa.delete(LineChangeRow).where(col(LineChangeRow.held_until) < moment - _KEPT)
        async with self._database.unit_of_work() as session:
            await (await session.connection()).execute(old)
            return list((await session.exec(query)).all())

    async def settle(self, service_id: int) -> dict[str, Settled]:
        """Read a service's line and settle its changes, by their kinds; a failed one no longer locks. Safe to repeat.

        Raises as the carrier does.
        """
        async with self._database.unit_of_work() as session:
            row = await session.get(SimLineRow, service_id)
        if row is None or row.number_index is None:
            return {}
        try:
            line = await self._lines.line(row.number)
        except NotFound:
            return await self._forget(row.number_index)
        found: dict[str, Settled] = {}
        async with self._database.unit_of_work() as session:
            for change_row in await LineChangeRow.of_line(session, row.number_index):
                change = change_row.to_domain()
                if change.wanted is not None and not change.has_failed:
                    found[change.kind] = await self._settle(session, row, change_row, change=change, line=line)
        if "failed" in found.values():
            await self._live.publish(Change(row.user_id, "orders"))
        return found

    async def _forget(self, line: bytes) -> dict[str, Settled]:
        """Forget the changes of a line that is gone: the nightly comparison tells of that."""
        async with self._database.unit_of_work() as session:
            kinds = [row.kind for row in await LineChangeRow.of_line(session, line)]
            await LineChangeRow.delete(session, line, kinds)
        return dict.fromkeys(kinds, "gone")

    async def _settle(
        self, session: AsyncSession, row: SimLineRow, change_row: LineChangeRow, *, change: LineChange, line: SimLine
    ) -> Settled:
        iccid_hash = self._ring.index(line.iccid, ICCID_PLACE).hex()
        outcome = outcome_of(change, line, at=now(), iccid_hash=iccid_hash, grace=self._grace)
        if outcome == "done" and change.held_until <= now():
            await session.delete(change_row)
        if outcome == "failed":
            change_row.state = "failed"
            await change_row.release_others(session)
            _log.warning("sims.change_not_carried_out", kind=change.kind, service=row.service_id)
            await raise_notice(
                session,
                "line_change_failed",
                user_id=row.user_id,
                source_id=f"{row.service_id}:{change.kind}",
                subject=f"…{row.number[-4:]}",
                path=f"/subscriptions/{row.service_id}",
            )
        return outcome
