"""The state of a customer's phone line at the carrier: read when the page opens, saved for when the carrier is away."""

import structlog

from portal_app.domain.errors import NotFound
from portal_app.domain.orders.sim_order import ShownLine
from portal_app.domain.ports.sim import SimLines
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change
from portal_app.models.sim import SimReservation
from portal_app.services.mirrors.cached_reads import CachedReads, SavedRead

_log = structlog.get_logger(__name__)


class LineStatus:
    """Show lines; a page waits for the carrier until its deadline at most."""

    def __init__(self, database: Database, lines: SimLines, reads: CachedReads) -> None:
        self._database = database
        self._lines = lines
        self._reads = reads

    async def line_of(self, customer: Customer, service_id: int) -> ShownLine | None:
        """Return the number and state of a service's line, its last known state while the carrier is slow or away.

        None where the portal did not open it, also for somebody else's service. A read that takes longer goes on, and
        open pages are told when it brought news.
        """
        row = await self._row(customer, service_id)
        if row is None:
            return None
        error: Exception | None
        try:
            saved, error = await self._reads.get_saved(self._read_of(customer, service_id, row))
        except NotFound as missing:
            saved, error = row, missing
        if error is not None:
            _log.info("sims.state_not_read", error=type(error).__name__)
            return ShownLine(row.number, row.to_state(), row.read_at or row.reserved_at)
        return ShownLine(saved.number, saved.to_state())

    def _read_of(self, customer: Customer, service_id: int, row: SimReservation) -> SavedRead[SimReservation]:
        async def load() -> SimReservation:
            return await self._row(customer, service_id) or row

        async def update(shown: SimReservation) -> bool:
            state = (await self._lines.line(shown.number)).state
            async with self._database.unit_of_work(customer=customer.user_id) as session:
                saved = await session.get(SimReservation, shown.order_id, with_for_update=True)
                is_news = saved is not None and saved.state != state
                if saved is not None:
                    saved.state, saved.read_at = state, now()
            return is_news

        return SavedRead(
            key=f"line:{row.order_id}",
            vendor="freebit",
            load=load,
            # No event tells of a line's state: each page asks the carrier.
            is_fresh=lambda _: False,
            update=update,
            change=Change(customer.user_id, "orders", str(row.order_id)),
            # The refreshed page would ask the carrier once more, for as long as it is slow.
            is_late_told=False,
        )

    async def _row(self, customer: Customer, service_id: int) -> SimReservation | None:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return await SimReservation.of_service(session, customer.user_id, service_id)
