"""The dashboard's read model: one transaction, and never a wait for a vendor that has answered before."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from portal_app.domain.billing.invoice import OPEN_STATUSES, Invoice, PaymentMethod
from portal_app.domain.billing.invoice_list import Owed
from portal_app.domain.dashboard.summary import TASK_KINDS, Summary, Task
from portal_app.domain.money import Money
from portal_app.domain.orders.order import FINAL_STAGES, Order
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import CancellationRequest
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now, today
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache, CachedBytes, Entry, count_stale
from portal_app.infra.redis.live import customer_tag
from portal_app.infra.settings import Settings
from portal_app.language.format import JAPAN
from portal_app.models.cancellation import CancellationRow
from portal_app.models.order import OrderRow
from portal_app.services.billing.invoice_mirror import INVOICES
from portal_app.services.billing.invoices import Billing
from portal_app.services.billing.payment_methods import Payments, methods_tag
from portal_app.services.mirrors.freshness import FreshnessPolicy
from portal_app.services.subscriptions.mirror import SERVICES
from portal_app.services.subscriptions.subscriptions import Subscriptions
from portal_app.services.support.open_case_count import OpenCaseCount

_INVOICES = TypeAdapter(list[Invoice])
_SERVICES = TypeAdapter(list[Subscription])
_TIMES = TypeAdapter(dict[str, datetime])
_MOST_UNPAID = 20
# Days end and cards expire meanwhile: late by so much at most.
_KEPT_SECONDS = 60
# From when on a payment, and a card's last day, are worth a task of their own.
_SOON, _EXPIRES_SOON = timedelta(days=7), timedelta(days=45)
_WORTH_TELLING = timedelta(days=30)
# All a dashboard needs of the mirrors, in one question. Row-level security holds for every part.
_MIRRORS = """
WITH mine AS (
    SELECT * FROM invoices_mirror WHERE user_id = %(user)s AND NOT is_gone AND status = ANY(%(open)s)
)
SELECT
    (SELECT coalesce(sum(owed_minor), 0) FROM mine),
    (SELECT coalesce(sum(owed_minor), 0) FROM mine WHERE due_on < %(today)s),
    (SELECT count(*) FROM mine),
    (SELECT count(*) FROM mine WHERE due_on < %(today)s),
    (SELECT jsonb_agg(body ORDER BY due_on NULLS LAST, invoice_id) FROM (
        SELECT * FROM mine ORDER BY due_on NULLS LAST, invoice_id LIMIT %(most)s) AS first),
    (SELECT jsonb_agg(body ORDER BY service_id DESC) FROM subscriptions_mirror WHERE user_id = %(user)s),
    (SELECT jsonb_object_agg(kind, read_at) FROM mirror_states WHERE user_id = %(user)s AND read_at IS NOT NULL),
    (SELECT jsonb_agg(kind) FROM mirror_states WHERE user_id = %(user)s AND read_at > %(young_since)s
        AND (stale_at IS NULL OR stale_at < read_at)),
    (SELECT jsonb_build_object('status', status, 'checked_on', (checked_at AT TIME ZONE %(zone)s)::date)
        FROM internet_eligibility WHERE user_id = %(user)s),
    EXISTS (SELECT FROM orders WHERE user_id = %(user)s AND stage <> ALL(%(final)s)),
    EXISTS (SELECT FROM orders WHERE user_id = %(user)s AND category = 'internet'),
    EXISTS (SELECT FROM cancellations WHERE user_id = %(user)s)
"""


@dataclass(frozen=True, slots=True)
class _Mirrored:
    owed: Owed | None
    unpaid: list[Invoice]
    services: list[Subscription] | None
    orders: tuple[Order, ...]
    has_ordered_internet: bool
    read_at: dict[str, datetime]
    young: frozenset[str]
    address: dict[str, Any]
    cancellations: Mapping[int, CancellationRequest]


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
        self._wish = FreshnessPolicy(settings.mirror_trust_seconds, 0, settings.mirror_patience_seconds)
        self._mirrors = {INVOICES: billing.freshness, SERVICES: subscriptions.freshness}
        self._payments = payments
        self._cases = cases
        self._cache = cache

    async def close(self) -> None:
        """Break off what is read for nobody."""
        await self._cases.close()

    async def summary_text(self, customer: Customer, write: Callable[[Summary], bytes]) -> bytes:
        """Return the summary as `write` writes it, kept until something of the customer's changes, a minute at most.

        Saved data older than they should be, and what is not known yet, are not kept.
        """

        async def compute() -> CachedBytes:
            found, seconds = await self._put_together(customer)
            return CachedBytes(write(found), seconds)

        return await self._cache.get_or_set_bytes(self.entry_of(customer.user_id), compute)

    @staticmethod
    def entry_of(user_id: UUID) -> Entry:
        """Return what the written summary is kept under."""
        return Entry(f"summary:{user_id}", (customer_tag(user_id), methods_tag(user_id)))

    async def summary_for(self, customer: Customer) -> Summary:
        """Return the summary from saved data; what is too old is read anew meanwhile and pushed to open pages."""
        found, _ = await self._put_together(customer)
        return found

    async def _put_together(self, customer: Customer) -> tuple[Summary, int]:
        """Return the summary, and for how many seconds it may be kept."""
        found, cards, open_cases = await asyncio.gather(
            self._read(customer), self._payments.known_methods(customer), self._cases.known_for(customer)
        )
        if unread := [kind for kind in self._mirrors if kind not in found.read_at]:
            await asyncio.gather(*(self._mirrors[kind].first_read(customer, self._wish) for kind in unread))
            found = await self._read(customer)
        old = [kind for kind in found.read_at if kind not in found.young]
        for kind in old:
            self._mirrors[kind].refresh(customer, self._wish.age)
        if old:
            count_stale()
        endings = _endings(found.cancellations.values())
        tasks = sorted([*_tasks(found, cards or []), *endings], key=_urgency)
        summary = Summary(
            owed=found.owed,
            next_invoice=found.unpaid[0] if found.unpaid else None,
            services=None if found.services is None else tuple(found.services),
            orders=found.orders,
            open_cases=open_cases,
            internet=found.address.get("status"),
            tasks=tuple(tasks),
            as_of=min((found.read_at[kind] for kind in old), default=None),
            cancellations=found.cancellations,
        )
        is_settled = not old and None not in (summary.owed, summary.services, open_cases)
        return summary, self._seconds_left(found) if is_settled else 0

    def _seconds_left(self, found: _Mirrored) -> int:
        """Return for how long the mirrors stay young enough, a minute at most."""
        age = (now() - min(found.read_at.values())).total_seconds()
        return max(0, min(_KEPT_SECONDS, int(self._wish.age - age)))

    async def _read(self, customer: Customer) -> _Mirrored:
        asked = {"user": customer.user_id, "open": list(OPEN_STATUSES), "today": today(), "most": _MOST_UNPAID}
        asked |= {"final": list(FINAL_STAGES), "zone": str(JAPAN)}
        asked["young_since"] = now() - timedelta(seconds=self._wish.age)
        *row, has_open_orders, has_ordered_internet, has_cancellations = await self._database.fetch_row_for(
            customer.user_id, _MIRRORS, asked
        )
        orders, endings = await self._rarer(customer, has_open_orders, has_cancellations)
        due, overdue, due_count, overdue_count, unpaid, services, read_at, young, address = row
        bills, times = _INVOICES.validate_python(unpaid or []), _TIMES.validate_python(read_at or {})
        return _Mirrored(
            owed=self._owed(due, overdue, (due_count, overdue_count), bills) if INVOICES in times else None,
            unpaid=bills,
            services=_SERVICES.validate_python(services or []) if SERVICES in times else None,
            orders=tuple(order.to_domain() for order in orders if order.stage not in FINAL_STAGES),
            has_ordered_internet=has_ordered_internet,
            read_at=times,
            young=frozenset(young or ()),
            address=address or {},
            cancellations={ending.service_id: ending.to_domain() for ending in endings},
        )

    async def _rarer(
        self, customer: Customer, has_open_orders: bool, has_cancellations: bool
    ) -> tuple[Sequence[OrderRow], Sequence[CancellationRow]]:
        """Read what few customers have: each costs as much as all the rest."""
        if not has_open_orders and not has_cancellations:
            return (), ()
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            orders = await OrderRow.for_user(session, customer.user_id) if has_open_orders else ()
            endings = await CancellationRow.newest(session, customer.user_id) if has_cancellations else ()
            return orders, endings

    def _owed(self, due: Any, overdue: Any, counts: tuple[int, int], bills: list[Invoice]) -> Owed:
        first = bills[0] if bills else None
        return Owed(
            Money(int(due), self._currency),
            Money(int(overdue), self._currency),
            *counts,
            first.id if first else None,
            first.due_on if first else None,
        )


def _urgency(task: Task) -> tuple[int, date]:
    return TASK_KINDS.index(task.kind), task.on or date.max


def _tasks(found: _Mirrored, cards: Sequence[PaymentMethod]) -> Iterator[Task]:
    for invoice in found.unpaid:
        if invoice.is_overdue(today()):
            yield Task("pay_overdue", str(invoice.id), invoice.label, invoice.due_on, invoice.owed)
        elif invoice.due_on and invoice.due_on <= today() + _SOON:
            yield Task("pay_due", str(invoice.id), invoice.label, invoice.due_on, invoice.owed)
    for service in found.services or []:
        if service.status == "suspended":
            yield Task("service_suspended", str(service.id), service.name)
    for order in found.orders:
        if order.stage == "needs_attention":
            yield Task("order_needs_attention", str(order.id), order.title)
    for card in cards:
        last = card.last_valid_on
        if last and last < today():
            yield Task("card_expired", str(card.id), card.last_four, last)
        elif last and last <= today() + _EXPIRES_SOON:
            yield Task("card_expires", str(card.id), card.last_four, last)
    if (checked_on := _checked_on(found)) is not None:
        yield Task("address_checked", "", "", checked_on)


def _checked_on(found: _Mirrored) -> date | None:
    """Return the day on which an agent found fibre for a customer who has not ordered it; None after a while."""
    held = any(service.is_internet_line and service.is_live for service in found.services or [])
    if (
        found.address.get("status") != "eligible"
        or held
        or found.has_ordered_internet
        or not found.address["checked_on"]
    ):
        return None
    checked_on = date.fromisoformat(found.address["checked_on"])
    return checked_on if checked_on > today() - _WORTH_TELLING else None


def _endings(requests: Iterable[CancellationRequest]) -> Iterator[Task]:
    for request in requests:
        if request.state == "refused":
            yield Task("cancellation_refused", str(request.service_id), request.service_name, request.ends_on)
        elif request.is_open:
            yield Task("service_ends", str(request.service_id), request.service_name, request.ends_on)
