"""Reading mirrors again by the clock, the oldest first: what a lost event left wrong ends here."""

from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlmodel import col, select

from portal_app.domain.errors import ExternalUnavailable, PortalError
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.models.mirror import MirrorState, database_time
from portal_app.models.user import IdMapping
from portal_app.services.billing.invoice_mirror import INVOICES
from portal_app.services.billing.invoices import Billing
from portal_app.services.billing.payment_methods import Payments
from portal_app.services.subscriptions.subscriptions import Subscriptions

_DETAILS = 5
_log = structlog.get_logger(__name__)


class MirrorRefresh:
    """Keep every customer's mirror from growing old; one customer after the other, with lowest priority."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        billing: Billing,
        payments: Payments,
        subscriptions: Subscriptions,
        live: LiveUpdates,
    ) -> None:
        self._settings = settings
        self._database = database
        self._billing = billing
        self._payments = payments
        self._subscriptions = subscriptions
        self._live = live

    async def run(self) -> int:
        """Read the oldest mirrors again; return how many customers had news. An absent WHMCS ends it quietly."""
        customers, news = await self._due(), 0
        for customer in customers:
            try:
                news += await self.read(customer)
            except ExternalUnavailable:
                _log.info("mirrors.postponed", left=len(customers))
                break
            except PortalError as error:
                _log.warning("mirrors.refused", customer=str(customer.user_id), reason=error.code)
        _log.info("mirrors.reconciled", compared=len(customers), changed=news)
        return news

    async def read(self, customer: Customer) -> bool:
        """Read one customer's mirrors from WHMCS; open pages are told where it was news."""
        is_news = await self._billing.freshness.read(customer)
        for invoice_id in await self._billing.lists.unlined(customer, most=_DETAILS):
            is_news |= await self._billing.read_invoice_again(customer, invoice_id)
        is_news |= await self._subscriptions.freshness.read(customer)
        # No hook of WHMCS tells that staff gave or took credit.
        is_news |= await self._payments.read_money_again(customer)
        if is_news:
            await self._live.publish(Change(customer.user_id, "billing"))
        return is_news

    async def _due(self) -> list[Customer]:
        is_theirs = sa.and_(col(MirrorState.user_id) == col(IdMapping.user_id), col(MirrorState.kind) == INVOICES)
        age = timedelta(seconds=self._settings.mirror_reconcile_seconds)
        async with self._database.unit_of_work() as session:
            old = await database_time(session) - age
            query = (
                select(IdMapping)
                .outerjoin(MirrorState, is_theirs)
                .where(sa.or_(col(MirrorState.read_at).is_(None), col(MirrorState.read_at) < old))
                .order_by(col(MirrorState.read_at).asc().nulls_first())
                .limit(self._settings.mirror_reconcile_batch)
            )
            return [mapping.to_domain() for mapping in (await session.exec(query)).all()]
