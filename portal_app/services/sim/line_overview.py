"""A SIM service's page: the line with its data, days, forecast, and what is pending."""

from datetime import timedelta

from portal_app.domain.errors import ExternalError
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.line_change import LineChange
from portal_app.domain.sim.line_view import (
    KEPT_DAYS,
    LineIds,
    LineOverview,
    LineView,
    LinkState,
    data_use,
    line_forecast,
    shown_days,
)
from portal_app.domain.sim.sim_plan import SimPlan
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now, today
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.models.line_change import LineChangeRow
from portal_app.models.sim_line import SimLineRow
from portal_app.models.sim_reading import SimReading
from portal_app.services.catalog.catalog import Catalog
from portal_app.services.sim.line_status import LineStatus, SavedLine

# A failed change is shown for so long.
_SHOWN_FAILURE = timedelta(days=7)
_CHECK_AGAIN = timedelta(days=1)


class LineOverviews:
    """Show lines of services, and have the worker look for those that are not known yet."""

    def __init__(self, database: Database, queue: DurableQueue, *, status: LineStatus, catalog: Catalog) -> None:
        self._database = database
        self._queue = queue
        self._status = status
        self._catalog = catalog

    async def of_service(self, customer: Customer, service: Subscription) -> LineOverview | None:
        """Return the line of a customer's service; None where the service is no SIM line."""
        saved = await self._status.saved_line(customer, service.id)
        if saved is not None:
            return LineOverview("linked", await self._view(customer, service, saved))
        if not service.is_live_line("sim"):
            return None
        return LineOverview(await self._look_for(customer, service.id))

    async def _view(self, customer: Customer, service: Subscription, saved: SavedLine) -> LineView:
        snapshot, day, plan = saved.snapshot, today(), await self._plan(service)
        since = day - timedelta(days=KEPT_DAYS)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            known = await SimReading.days_of(session, service.id, since=since)
            rows = await LineChangeRow.of_line(session, saved.row.number_index or b"")
        data = data_use(snapshot, plan, known, day)
        found, record = line_forecast(data, snapshot, known, day)
        return LineView(
            ids=LineIds(saved.row.number, saved.row.iccid[-4:], saved.row.eid[-4:]),
            snapshot=snapshot,
            data=data,
            days=shown_days(known, snapshot, day),
            forecast=found,
            record=record,
            top_ups=snapshot.top_ups,
            changes=tuple(change for row in rows if _is_shown(change := row.to_domain())),
            read_at=saved.row.read_at,
            as_of=saved.as_of,
        )

    async def _plan(self, service: Subscription) -> SimPlan | None:
        try:
            return (await self._catalog.sim_plans()).get(service.product_id)
        except ExternalError:
            return None

    async def _look_for(self, customer: Customer, service_id: int) -> LinkState:
        """Ask the worker once a day, and say where the search stands."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await SimLineRow.of_service(session, customer.user_id, service_id)
            if row is None or row.checked_at < now() - _CHECK_AGAIN:
                name = f"link-line-{service_id}-{today().isoformat()}"
                await self._queue.enqueue(session, "link_line", name, str(customer.user_id), service_id)
        return "searching" if row is None else "not_linked"


def _is_shown(change: LineChange) -> bool:
    """Say whether a customer hears of it: not of the lock of one top-up, nor of the second lock of a voice order."""
    if change.kind.startswith("data-") or (change.kind == "voice-order" and not change.has_failed):
        return False
    if change.has_failed:
        return change.held_until > now() - _SHOWN_FAILURE
    return change.locks_at(now())
