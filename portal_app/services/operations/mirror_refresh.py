"""Reads saved invoices and services from WHMCS again, the oldest first: corrects what a lost event left wrong."""

import asyncio
import math
import time
from collections.abc import Iterator
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
# The schedule's interval; a run ends before the next begins.
_EVERY_SECONDS, _LONGEST_RUN_SECONDS = 300, 270
_AT_ONCE = 3
_log = structlog.get_logger(__name__)


class MirrorRefresh:
    """Keeps every customer's mirror young; a few customers at a time, with lowest priority."""

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
        customers, ends_at = await self._due(), time.monotonic() + _LONGEST_RUN_SECONDS
        waiting, news = iter(customers), [0]
        await asyncio.gather(*(self._read_in_turn(waiting, news, ends_at) for _ in range(_AT_ONCE)))
        left = len(list(waiting))
        _log.info("mirrors.reconciled", compared=len(customers) - left, changed=sum(news), left=left)
        return sum(news)

    async def _read_in_turn(self, waiting: Iterator[Customer], news: list[int], ends_at: float) -> None:
        for customer in waiting:
            try:
                news.append(await self.read(customer))
            except ExternalUnavailable:
                _log.info("mirrors.postponed")
                return
            except PortalError as error:
                _log.warning("mirrors.refused", customer=str(customer.user_id), reason=error.code)
            if time.monotonic() > ends_at:
                return

    async def read(self, customer: Customer) -> bool:
        """Read one customer's mirrors from WHMCS; open pages are notified of changes."""
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
            everybody = await (await session.connection()).scalar(sa.select(sa.func.count()).select_from(IdMapping))
            # As many as it takes to come round in time, however many customers there are.
            share = math.ceil((everybody or 0) * _EVERY_SECONDS / self._settings.mirror_reconcile_seconds)
            query = (
                select(IdMapping)
                .outerjoin(MirrorState, is_theirs)
                .where(sa.or_(col(MirrorState.read_at).is_(None), col(MirrorState.read_at) < old))
                .order_by(col(MirrorState.read_at).asc().nulls_first())
                .limit(max(share, self._settings.mirror_reconcile_batch))
            )
            return [mapping.to_domain() for mapping in (await session.exec(query)).all()]
