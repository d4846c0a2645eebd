"""A customer's phone line at the carrier: read when its page opens, at most every few minutes, and saved for later."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import structlog

from portal_app.domain.errors import ExternalError, NotFound
from portal_app.domain.orders.sim_order import ShownLine
from portal_app.domain.ports.sim import SimLines
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change
from portal_app.infra.settings import Settings
from portal_app.models.mirror import is_fresh
from portal_app.models.sim_line import SimLineRow
from portal_app.services.mirrors.cached_reads import CachedReads, SavedRead
from portal_app.services.sim.readings import LineDays, NoteLines, visited_days, write_days

Value = TypeVar("Value")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SavedLine:
    """The row of a linked line. `as_of` is the time of the data where the carrier did not answer."""

    row: SimLineRow
    as_of: datetime | None

    @property
    def snapshot(self) -> LineSnapshot:
        """What was last read of it."""
        return self.row.to_snapshot()


class LineStatus:
    """Read lines: three calls of the carrier at most, and none for a line that was read within minutes."""

    def __init__(
        self, settings: Settings, database: Database, lines: SimLines, *, reads: CachedReads, note: NoteLines
    ) -> None:
        self._seconds = settings.freebit_usage_seconds
        self._database = database
        self._lines = lines
        self._reads = reads
        self._note = note

    async def line_of(self, customer: Customer, service_id: int) -> ShownLine | None:
        """Return the number and state of a service's line, its last known state while the carrier is slow or away.

        None for a service without a linked line, also for somebody else's. A read that takes longer goes on, and open
        pages are told.
        """
        saved = await self.saved_line(customer, service_id)
        return ShownLine(saved.row.number, saved.snapshot.state, saved.as_of) if saved else None

    async def saved_line(self, customer: Customer, service_id: int) -> SavedLine | None:
        """Return a linked line as `line_of` does, with all that was read of it."""
        row = await self._row(customer, service_id)
        if row is None or not row.is_linked:
            return None
        error: Exception | None
        try:
            found, error = await self._reads.get_saved(self._read_of(customer, row))
        except NotFound as missing:
            found, error = row, missing
        if error is not None:
            _log.info("sims.state_not_read", error=type(error).__name__)
            return SavedLine(found, found.read_at or found.checked_at)
        return SavedLine(found, None)

    def _read_of(self, customer: Customer, row: SimLineRow) -> SavedRead[SimLineRow]:
        async def load() -> SimLineRow:
            return await self._row(customer, row.service_id) or row

        async def update(shown: SimLineRow) -> bool:
            return await self._update(customer, shown)

        return SavedRead(
            key=f"line:{row.service_id}",
            vendor="freebit",
            load=load,
            is_fresh=lambda saved: is_fresh(saved.read_at, self._seconds, at=now()),
            update=update,
            change=Change(customer.user_id, "orders", str(row.service_id)),
        )

    async def _update(self, customer: Customer, shown: SimLineRow) -> bool:
        """Read the carrier and save what it tells; return whether the line's state is news."""
        asked_at = now()
        line, usage, top_ups = await asyncio.gather(
            self._lines.line(shown.number),
            _optional(self._lines.usage(shown.number)),
            _optional(self._lines.top_ups(shown.number)),
        )
        snapshot = replace(
            LineSnapshot.of_line(line).with_usage(usage),
            top_ups=None if top_ups is None else tuple(top_ups),
            told_at=asked_at,
        )
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            saved = await session.get(SimLineRow, shown.service_id, with_for_update=True)
            if saved is None or saved.number != shown.number:
                return False
            if usage is not None:
                days = LineDays(saved.service_id, saved.user_id, visited_days(usage.recent_days_bytes))
                await write_days(session, [days], source="visit")
            is_news = saved.to_snapshot().state != snapshot.state
            saved.body, saved.read_at = snapshot.to_json(), now()
            await self._note(session, [saved.service_id])
        return is_news

    async def _row(self, customer: Customer, service_id: int) -> SimLineRow | None:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return await SimLineRow.of_service(session, customer.user_id, service_id)


async def _optional(read: Awaitable[Value]) -> Value | None:
    """Return what was read; None where the carrier does not tell it of this line, or not now."""
    try:
        return await read
    except (ExternalError, NotFound) as error:
        _log.info("sims.part_not_read", error=type(error).__name__)
        return None
