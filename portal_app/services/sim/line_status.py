"""How a customer's phone line stands at the carrier: read as the page is opened, saved for when the carrier is away."""

import structlog

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, NotFound
from portal_app.domain.orders.sim_order import ShownLine
from portal_app.domain.ports.sim import SimLines
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.sim import SimState
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.deadline import deadline
from portal_app.models.sim import SimReservation

_log = structlog.get_logger(__name__)


class LineStatus:
    """Show lines; nobody waits for the carrier for longer than for a page."""

    def __init__(
        self, settings: Settings, database: Database, lines: SimLines, *, cache: Cache, live: LiveUpdates
    ) -> None:
        self._patience = settings.mirror_patience_seconds
        self._database = database
        self._lines = lines
        self._cache = cache
        self._live = live

    async def line_of(self, customer: Customer, service_id: int) -> ShownLine | None:
        """Return the number and state of a service's line, its last known state while the carrier is slow or away.

        None where the portal did not open it, also for somebody else's service. A reading that takes longer goes on by
        itself, and open pages are told when it brought news.
        """
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await SimReservation.of_service(session, customer.user_id, service_id)
        if row is None:
            return None
        try:
            async with deadline(self._patience, vendor="freebit"):
                state = await self._cache.get_or_set(
                    f"reading:line:{row.order_id}", lambda: self._read(customer, row), seconds=0
                )
        except (ExternalUnavailable, ExternalRejected, NotFound) as error:
            _log.info("sims.state_not_read", error=type(error).__name__)
            return ShownLine(row.number, row.to_state(), row.read_at or row.reserved_at)
        return ShownLine(row.number, state)

    async def _read(self, customer: Customer, shown: SimReservation) -> SimState:
        state = (await self._lines.line(shown.number)).state
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(SimReservation, shown.order_id, with_for_update=True)
            is_news = row is not None and row.state != state
            if row is not None:
                row.state, row.read_at = state, now()
        if is_news:
            await self._live.publish(Change(customer.user_id, "orders", str(shown.order_id)))
        return state
