"""What must always hold between the portal and the systems of record, checked by the clock: figures and log lines."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlmodel import col, func, select

from portal_app.domain.errors import NotFound
from portal_app.domain.identifiers import order_of_reference, step_reference
from portal_app.domain.ports.billing import SubscriptionGateway, WhmcsOrderGateway
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.metrics import set_violations
from portal_app.models.cancellation import CancellationRow
from portal_app.models.inbox import Inbox
from portal_app.models.mirror import SubscriptionMirror
from portal_app.models.order import OrderRow
from portal_app.models.user import IdMapping, User
from portal_app.services.provisioning.stuck_orders import StuckOrders

# A few customers in each run, chosen at random.
_SAMPLE = 20
_LATE, _MOST_NAMED = timedelta(hours=1), 200
_log = structlog.get_logger(__name__)
# What WHMCS has of some customers, by their user ids.
Sample = dict[UUID, list[Subscription]]


class Invariants:
    """Each check names what it found; nothing is corrected here."""

    def __init__(
        self,
        database: Database,
        subscriptions: SubscriptionGateway,
        whmcs_orders: WhmcsOrderGateway,
        stuck: StuckOrders,
    ) -> None:
        self._database = database
        self._subscriptions = subscriptions
        self._whmcs_orders = whmcs_orders
        self._stuck = stuck

    async def violations(self) -> dict[str, int]:
        """Run every check, set the metric portal_invariant_violations and log what is broken; return the counts."""
        sample = await self._sample()
        found = {
            "stuck_orders": [str(order.id) for order in await self._stuck.found()],
            "unknown_billing_orders": await self._unbilled_orders() + await self._strange_services(sample),
            "mapping_orphans": await self._mapping_orphans(),
            "mirror_drift": await self._mirror_drift(sample),
            "late_cancellations": await self._late_cancellations(),
            "unapplied_events": await self._unapplied_events(),
        }
        for name, ids in found.items():
            set_violations(name, len(ids))
            if ids:
                _log.warning("invariant.broken", invariant=name, count=len(ids), ids=ids[:20])
        return {name: len(ids) for name, ids in found.items()}

    async def _unbilled_orders(self) -> list[str]:
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
            if await self._whmcs_orders.find_order(client_id, step_reference(row.id, "whmcs", row.attempt)):
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

    async def _unapplied_events(self) -> list[str]:
        """Find events that were taken in an hour ago and not applied yet."""
        query = select(Inbox.source, Inbox.id).where(
            col(Inbox.handled_at).is_(None), col(Inbox.received_at) < now() - _LATE
        )
        async with self._database.unit_of_work() as session:
            return [f"{source}-{event}" for source, event in (await session.exec(query.limit(_MOST_NAMED))).all()]

    async def _sample(self) -> Sample:
        """Read what WHMCS has of a few customers chosen at random."""
        async with self._database.unit_of_work() as session:
            mappings = (await session.exec(select(IdMapping).order_by(func.random()).limit(_SAMPLE))).all()
        sample: Sample = {}
        for mapping in mappings:
            try:
                sample[mapping.user_id] = await self._subscriptions.subscriptions(mapping.whmcs_client_id)
            except NotFound:
                sample[mapping.user_id] = []
        return sample

    async def _strange_services(self, sample: Sample) -> list[str]:
        """Find services under a reference of ours whose order the portal does not have, or has of another customer."""
        named = [
            (f"service-{service.id}", user_id, order_id)
            for user_id, services in sample.items()
            for service in services
            if (order_id := order_of_reference(service.reference)) is not None
        ]
        query = select(OrderRow.id, OrderRow.user_id).where(col(OrderRow.id).in_([order_id for *_, order_id in named]))
        async with self._database.unit_of_work() as session:
            known = {(order_id, user_id) for order_id, user_id in (await session.exec(query)).all()}
        return [name for name, user_id, order_id in named if (order_id, user_id) not in known]

    async def _mirror_drift(self, sample: Sample) -> list[str]:
        """Find services whose saved data name another status than WHMCS."""
        mirrored = select(SubscriptionMirror).where(col(SubscriptionMirror.user_id).in_(list(sample)))
        async with self._database.unit_of_work() as session:
            rows = (await session.exec(mirrored)).all()
        fresh = {(user_id, one.id): one.status for user_id, services in sample.items() for one in services}
        return [
            str(row.service_id) for row in rows if fresh.get((row.user_id, row.service_id)) != row.body.get("status")
        ]
