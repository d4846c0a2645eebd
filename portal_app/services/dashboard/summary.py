"""The dashboard's summary: from saved data, cached until something of the customer's changes.

No vendor is waited for that has answered before: what is too old is updated in the background.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import TypeAdapter

from portal_app.domain.dashboard.summary import Summary
from portal_app.domain.orders.order import FINAL_STAGES, Order
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import CancellationRequest
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache, CachedBytes, Entry, count_stale
from portal_app.infra.redis.tags import customer_tag, methods_tag
from portal_app.infra.settings import Settings
from portal_app.models.cancellation import CancellationRow
from portal_app.models.order import OrderRow
from portal_app.services.billing.invoice_mirror import INVOICES
from portal_app.services.billing.invoices import Billing
from portal_app.services.billing.payment_methods import Payments
from portal_app.services.dashboard.summary_query import SummaryRows, summary_rows
from portal_app.services.dashboard.tasks import tasks_of
from portal_app.services.orders.awaited import with_awaited
from portal_app.services.subscriptions.mirror import SERVICES
from portal_app.services.subscriptions.subscriptions import Subscriptions
from portal_app.services.support.open_case_count import OpenCaseCount

# Days end and cards expire meanwhile: late by so much at most.
_CACHED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class _Cached:
    """A summary, and until when it may be shown."""

    summary: Summary
    until: datetime


_CACHED = TypeAdapter(_Cached)


class DashboardSummary:
    """Put together what the dashboard shows."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        billing: Billing,
        payments: Payments,
        subscriptions: Subscriptions,
        cases: OpenCaseCount,
        cache: Cache,
    ) -> None:
        self._database = database
        self._currency = settings.whmcs_currency
        self._seconds = settings.mirror_trust_seconds
        self._mirrors = {INVOICES: billing.freshness, SERVICES: subscriptions.freshness}
        self._payments = payments
        self._cases = cases
        self._cache = cache

    async def summary_for(self, customer: Customer) -> Summary:
        """Return the summary, cached for a minute at most and until something of the customer's changes.

        A summary of data older than they should be, or with something unknown, is not cached.
        """
        return (await self._cached_for(customer)).summary

    async def summary_bytes(self, customer: Customer, write: Callable[[Summary], bytes]) -> bytes:
        """Return what `summary_for` returns as `write` writes it, cached for as long."""

        async def compute() -> CachedBytes:
            cached = await self._cached_for(customer)
            return CachedBytes(write(cached.summary), max(0, int((cached.until - now()).total_seconds())))

        return await self._cache.get_or_set_bytes(self.cache_entry(customer.user_id), compute)

    @staticmethod
    def cache_entry(user_id: UUID) -> Entry:
        """Return the cache entry of the written summary."""
        return Entry(f"summary:{user_id}", _tags(user_id))

    async def _cached_for(self, customer: Customer) -> _Cached:
        entry = Entry(f"summary-read:{customer.user_id}", _tags(customer.user_id))

        async def compute() -> CachedBytes:
            summary, seconds = await self._put_together(customer)
            cached = _Cached(summary, now() + timedelta(seconds=seconds))
            return CachedBytes(_CACHED.dump_json(cached), seconds)

        return _CACHED.validate_json(await self._cache.get_or_set_bytes(entry, compute))

    async def _put_together(self, customer: Customer) -> tuple[Summary, int]:
        """Return the summary, and for how many seconds it may be cached."""
        rows, cards, open_cases = await asyncio.gather(
            self._rows(customer), self._payments.known_methods(customer), self._cases.known_for(customer)
        )
        if unread := [kind for kind in self._mirrors if kind not in rows.read_at]:
            await asyncio.gather(*(self._mirrors[kind].first_read(customer, self._seconds) for kind in unread))
            rows = await self._rows(customer)
        old = [kind for kind in self._mirrors if kind in rows.read_at and kind not in rows.fresh]
        for kind in old:
            self._mirrors[kind].refresh(customer, self._seconds)
        if old:
            count_stale()
        orders, cancellations = await self._orders_and_cancellations(customer, rows)
        is_known = {kind: kind in rows.read_at for kind in self._mirrors}
        summary = Summary(
            owed=rows.owed if is_known[INVOICES] else None,
            next_invoice=rows.unpaid[0] if rows.unpaid else None,
            services=tuple(row for row in rows.services if row.is_service) if is_known[SERVICES] else None,
            orders=orders,
            open_cases=open_cases,
            internet=rows.check_status,
            tasks=tuple(tasks_of(rows, orders=orders, cards=cards or (), cancellations=cancellations)),
            as_of=min((rows.read_at[kind] for kind in old), default=None),
            cancellations={request.service_id: request for request in cancellations},
        )
        is_settled = not old and all(is_known.values()) and open_cases is not None
        return summary, self._seconds_left(rows) if is_settled else 0

    async def _rows(self, customer: Customer) -> SummaryRows:
        return await summary_rows(self._database, customer, seconds=self._seconds, currency=self._currency)

    async def _orders_and_cancellations(
        self, customer: Customer, rows: SummaryRows
    ) -> tuple[tuple[Order, ...], Sequence[CancellationRequest]]:
        """Read what few customers have: each costs as much as all the rest."""
        if not rows.has_open_orders and not rows.has_cancellations:
            return (), ()
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            orders = await OrderRow.for_user(session, customer.user_id) if rows.has_open_orders else ()
            requests = await CancellationRow.newest(session, customer.user_id) if rows.has_cancellations else ()
            still_open = [order.to_domain() for order in orders if order.stage not in FINAL_STAGES]
            still_open = await with_awaited(session, customer.user_id, still_open)
            # Sealed in their table, and shown nowhere on the dashboard: they stay out of the cache.
            shown = tuple(replace(order, options=None, address=None) for order in still_open)
            return shown, [request.to_domain() for request in requests]

    def _seconds_left(self, rows: SummaryRows) -> int:
        """Return for how long the mirrors stay fresh, a minute at most."""
        age = (rows.looked_at - min(rows.read_at.values())).total_seconds()
        return max(0, min(_CACHED_SECONDS, int(self._seconds - age)))


def _tags(user_id: UUID) -> tuple[str, ...]:
    return customer_tag(user_id), methods_tag(user_id)
