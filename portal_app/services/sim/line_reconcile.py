"""Every night each linked line is compared with its service, and unlinked SIM services are looked at again."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal_app.domain.errors import NotFound
from portal_app.domain.ports.fulfilment import LinkingVendors
from portal_app.domain.sim.line_comparison import FINDINGS, ComparedService, Finding, finding_of
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.domain.sim.sim import SimLine
from portal_app.domain.sim.sim_plan import SimPlan
from portal_app.domain.subscriptions.subscription import OVER_STATUSES
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.settings import Settings
from portal_app.models.sim_line import SimLineRow
from portal_app.models.user import IdMapping
from portal_app.services.catalog.catalog import Catalog
from portal_app.services.sim.line_links import open_line_case

# A line is compared once a night: a run that is repeated finds nothing to do.
_AGAIN = timedelta(hours=20)
_LIVE = ("active", "suspended")
_STATUS = sa.text(
    "SELECT m.body ->> 'status' AS status, (m.body ->> 'product_id')::int AS product FROM subscriptions_mirror m"
    " WHERE m.user_id = :user_id AND m.service_id = :service_id"
)
_WAS_READ = sa.text(
    "SELECT 1 FROM mirror_states WHERE user_id = :user_id AND kind = 'services' AND read_at IS NOT NULL"
)
_UNLINKED = sa.text("""
SELECT m.user_id, m.service_id FROM subscriptions_mirror m
LEFT JOIN sim_lines l ON l.service_id = m.service_id
WHERE m.body -> 'product' ->> 'category' = 'sim' AND m.body -> 'product' ->> 'item_class' = 'service'
    AND m.body ->> 'status' = ANY(:live)
    AND (l.service_id IS NULL OR (l.state = 'refused' AND l.checked_at < :before))
ORDER BY l.checked_at NULLS FIRST, m.service_id LIMIT :most
""")
_log = structlog.get_logger(__name__)


class LineReconcile:
    """Compare lines and services, one call of the carrier for each line; services are taken from their mirror."""

    def __init__(self, settings: Settings, database: Database, vendors: LinkingVendors, *, catalog: Catalog) -> None:
        self._batch = settings.freebit_reconcile_batch
        self._names = [name.strip() for name in settings.whmcs_sim_fields.split(",")]
        self._database = database
        self._lines, self._subscriptions, self._crm = vendors.sims, vendors.subscriptions, vendors.crm
        self._catalog = catalog

    async def due(self) -> list[int]:
        """Return the next services whose line is to be compared."""
        async with self._database.unit_of_work() as session:
            rows = await SimLineRow.oldest(session, before=now() - _AGAIN, limit=self._batch)
        return [row.service_id for row in rows]

    async def unlinked(self) -> list[tuple[str, int]]:
        """Return customers and SIM services without an accepted line, those not looked at for longest first."""
        values = {"live": list(_LIVE), "before": now() - _AGAIN, "most": self._batch}
        async with self._database.unit_of_work() as session:
            rows = await (await session.connection()).execute(_UNLINKED, values)
            return [(str(row.user_id), row.service_id) for row in rows]

    async def compare(self, service_id: int) -> Finding | None:
        """Compare one line with its service; correct what can be, and return what people must see to. Safe to repeat.

        Raises as the carrier, the catalogue and WHMCS do.
        """
        async with self._database.unit_of_work() as session:
            row = await session.get(SimLineRow, service_id)
            if row is None or not row.is_linked:
                return None
            service = await self._service(session, row.user_id, service_id)
        try:
            line: SimLine | None = await self._lines.line(row.number)
        except NotFound:
            line = None
        finding = finding_of(service, line)
        if line is not None and line.iccid and line.iccid != row.iccid:
            await self._tell_new_sim(row, line)
        is_closed = service.is_over and (line is None or not line.exists)
        await self._note(service_id, line, is_closed=is_closed)
        if finding:
            _log.warning("sims.line_differs", service=service_id, finding=finding)
        return finding

    async def open_case(self, service_id: int, finding: Finding) -> None:
        """Ask agents to see to it: one case for each service and finding. Safe to repeat."""
        async with self._database.unit_of_work() as session:
            row = await session.get(SimLineRow, service_id)
            if row is None:
                return
            customer = await IdMapping.customer_of(session, row.user_id)
        await open_line_case(
            self._crm,
            customer,
            service_id,
            kind=finding,
            subject="SIM line and service differ",
            words=FINDINGS[finding],
        )

    async def _service(self, session: Any, user_id: UUID, service_id: int) -> ComparedService:
        connection, values = await session.connection(), {"user_id": user_id, "service_id": service_id}
        found = (await connection.execute(_STATUS, values)).first()
        if found is None:
            was_read = (await connection.execute(_WAS_READ, {"user_id": user_id})).first()
            # A service that a complete list does not have is gone.
            return ComparedService(is_live=False, is_over=was_read is not None, plan=None)
        plans: Mapping[int, SimPlan] = await self._catalog.sim_plans()
        return ComparedService(
            is_live=found.status in _LIVE, is_over=found.status in OVER_STATUSES, plan=plans.get(found.product)
        )

    async def _tell_new_sim(self, row: SimLineRow, line: SimLine) -> None:
        """Write the ICCID and EID of a new SIM where agents read them."""
        async with self._database.unit_of_work() as session:
            customer = await IdMapping.customer_of(session, row.user_id)
        values = dict(zip(self._names[1:], (line.iccid, line.eid), strict=True))
        told = {name: value for name, value in values.items() if value}
        await self._subscriptions.set_service_fields(customer.whmcs_client_id, row.service_id, told)

    async def _note(self, service_id: int, line: SimLine | None, *, is_closed: bool) -> None:
        async with self._database.unit_of_work() as session:
            row = await session.get(SimLineRow, service_id, with_for_update=True)
            if row is None:
                return
            row.reconciled_at = now()
            if line is not None:
                row.iccid, row.eid = line.iccid or row.iccid, line.eid or row.eid
                known = row.to_snapshot()
                told = LineSnapshot.of_line(line).to_json()
                kept = {
                    name: value
                    for name, value in known.to_json().items()
                    if name in _READ_SEPARATELY and (known.told_at is not None or name != "left_mb")
                }
                row.body = told | kept
            if is_closed:
                row.end()


# What is left belongs to the moment at which today's use was read too.
_READ_SEPARATELY = ("today_bytes", "is_restricted", "top_ups", "left_mb", "told_at")
