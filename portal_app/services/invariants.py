"""What must always hold between the portal and the systems of record, checked by the clock: figures and log lines."""

from datetime import timedelta

import structlog
from sqlmodel import col, func, select

from portal_app.domain.errors import NotFound
from portal_app.domain.identifiers import step_reference
from portal_app.domain.ports import BillingGateway
from portal_app.infra.database import Database
from portal_app.infra.metrics import set_violations
from portal_app.models.cancellation import CancellationRow
from portal_app.models.columns import now
from portal_app.models.mirror import SubscriptionMirror
from portal_app.models.order import OrderRow
from portal_app.models.user import IdMapping, User
from portal_app.services.stuck_orders import StuckOrders

# A few customers a round: over a day every round looks at others.
_SAMPLE = 20
_LATE, _MOST_NAMED = timedelta(hours=1), 200
_log = structlog.get_logger(__name__)


class Invariants:
    """Each check names what it found; nothing is mended here."""

    def __init__(self, database: Database, billing: BillingGateway, stuck: StuckOrders) -> None:
        self._database = database
        self._billing = billing
        self._stuck = stuck

    async def check(self) -> dict[str, int]:
        """Run every check, set the metric portal_invariant_violations and log what is broken; return the counts."""
        found = {
            "stuck_orders": [str(order.id) for order in await self._stuck.found()],
            "unknown_billing_orders": await self._unknown_billing_orders(),
            "mapping_orphans": await self._mapping_orphans(),
            "mirror_drift": await self._mirror_drift(),
            "late_cancellations": await self._late_cancellations(),
        }
        for name, ids in found.items():
            set_violations(name, len(ids))
            if ids:
                _log.warning("invariant.broken", invariant=name, count=len(ids), ids=ids[:20])
        return {name: len(ids) for name, ids in found.items()}

    async def _unknown_billing_orders(self) -> list[str]:
        """Find orders that WHMCS has under our reference and of which we know no WHMCS number."""
        query = (
            select(OrderRow, IdMapping.whmcs_client_id)
            .join(IdMapping, col(IdMapping.user_id) == col(OrderRow.user_id))
            .where(col(OrderRow.billing_tried_at).is_not(None), col(OrderRow.whmcs_order_id).is_(None))
        )
        async with self._database.unit_of_work() as session:
            rows = (await session.exec(query.limit(_SAMPLE))).all()
        found: list[str] = []
        for row, client_id in rows:
            if await self._billing.find_order(client_id, step_reference(row.id, "whmcs", row.attempt)):
                found.append(str(row.id))
        return found

    async def _mapping_orphans(self) -> list[str]:
        """Find users who are set up but mapped to nobody, and orders whose customer is."""
        users = (
            select(User.id)
            .outerjoin(IdMapping, col(IdMapping.user_id) == col(User.id))
            .where(User.status == "active", col(IdMapping.user_id).is_(None))
        )
        orders = (
            select(OrderRow.user_id)
            .outerjoin(IdMapping, col(IdMapping.user_id) == col(OrderRow.user_id))
            .where(col(IdMapping.user_id).is_(None))
        )
        async with self._database.unit_of_work() as session:
            found = [*(await session.exec(users)).all(), *(await session.exec(orders)).all()]
        return sorted({str(user_id) for user_id in found})

    async def _late_cancellations(self) -> list[str]:
        """Find cancellations whose time came an hour ago and which WHMCS does not have yet."""
        query = select(CancellationRow.id).where(
            col(CancellationRow.state).in_(("scheduled", "sending")),
            col(CancellationRow.sends_at) < now() - _LATE,
        )
        async with self._database.unit_of_work() as session:
            return [str(found) for found in (await session.exec(query.limit(_MOST_NAMED))).all()]

    async def _mirror_drift(self) -> list[str]:
        """Find services whose saved data name another status than WHMCS, among a few customers chosen at random."""
        query = select(IdMapping).order_by(func.random()).limit(_SAMPLE)
        async with self._database.unit_of_work() as session:
            mappings = (await session.exec(query)).all()
            mirrored = select(SubscriptionMirror).where(
                col(SubscriptionMirror.user_id).in_([mapping.user_id for mapping in mappings])
            )
            rows = (await session.exec(mirrored)).all()
        drifted: list[str] = []
        for mapping in mappings:
            saved = [row for row in rows if row.user_id == mapping.user_id]
            if not saved:
                continue
            try:
                fresh = {row.id: row.status for row in await self._billing.subscriptions(mapping.whmcs_client_id)}
            except NotFound:
                fresh = {}
            drifted += [str(row.service_id) for row in saved if fresh.get(row.service_id) != row.body.get("status")]
        return drifted
