"""Reads lines that nobody visits, some times a day each: off unless an operator turns it on, as a file is the way."""

from datetime import datetime, timedelta
from uuid import UUID

from portal_app.infra.clock import now, today
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.models.line_poll import LinePoll
from portal_app.models.user import IdMapping
from portal_app.services.sim.line_status import LineStatus

_DAY = timedelta(days=1)


class UsagePolling:
    """Spread the day's reads of each line over the day. A read is counted before it is made, and never made again."""

    def __init__(self, settings: Settings, database: Database, *, status: LineStatus, live: LiveUpdates) -> None:
        self._reads, self._batch = settings.freebit_poll_reads, settings.freebit_poll_batch
        self._database = database
        self._status = status
        self._live = live

    async def due(self) -> list[tuple[str, int]]:
        """Return customers and services whose line is to be read next, those that waited longest first."""
        if not self._reads:
            return []
        async with self._database.unit_of_work() as session:
            found = await LinePoll.due(session, before=self._before(), limit=self._batch)
        return [(str(user_id), service_id) for user_id, service_id in found]

    async def read(self, user_id: UUID, service_id: int) -> bool:
        """Read one line; return False where it was read as often as it may be. Raises as the carrier does.

        A read that failed counts: repeated at once, it is refused here.
        """
        async with self._database.unit_of_work() as session:
            may_read = self._reads > 0 and await LinePoll.claim(
                session, service_id, day=today(), at=now(), before=self._before(), most=self._reads
            )
            customer = await IdMapping.customer_of(session, user_id)
        if may_read and await self._status.read_unvisited(customer, service_id):
            await self._live.publish(Change(user_id, "orders", str(service_id)))
        return may_read

    def _before(self) -> datetime:
        return now() - _DAY / max(1, self._reads)
