"""Sends cancellations, in the worker: WHMCS is asked once, agents see it, and the customer is notified."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound
from portal_app.domain.ports.billing import SubscriptionGateway
from portal_app.domain.ports.cancellation import CancellationCaseGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import CancellationRequest, CancellationState
from portal_app.domain.subscriptions.subscription import OVER_STATUSES
from portal_app.infra.clock import now
from portal_app.infra.redis.live import LiveUpdates
from portal_app.models.cancellation import CancellationRow
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.billing.invoices import Billing
from portal_app.services.identity.context import ServiceContext
from portal_app.services.subscriptions.cancellations import detail_of, publish, tell_customer
from portal_app.services.subscriptions.subscriptions import Subscriptions
from portal_app.services.write_guard import WriteGuard

# Sent, and over by the mirror: its row says so, or a list read since then has it no more.
_ENDED = sa.text("""
SELECT c.id FROM cancellations c
LEFT JOIN subscriptions_mirror m ON m.user_id = c.user_id AND m.service_id = c.service_id
LEFT JOIN mirror_states s ON s.user_id = c.user_id AND s.kind = 'services'
WHERE c.state = 'sent'
    AND (m.body ->> 'status' = ANY(:over) OR (m.service_id IS NULL AND s.read_at > c.changed_at))
ORDER BY c.changed_at LIMIT 500
""")


class CancellationDelivery:
    """Execute cancellations step by step; every step is safe to repeat."""

    def __init__(
        self,
        context: ServiceContext,
        gateway: SubscriptionGateway,
        cases: CancellationCaseGateway,
        *,
        live: LiveUpdates,
        billing: Billing,
        subscriptions: Subscriptions,
        clock: Callable[[], datetime] = now,
    ) -> None:
        settle = timedelta(seconds=context.settings.whmcs_settle_seconds)
        self._guard = WriteGuard(context.database, _locked, "tried_at", settle=settle, clock=clock)
        self._field = context.settings.whmcs_opportunity_field
        self._context = context
        self._database = context.database
        self._gateway = gateway
        self._cases = cases
        self._live = live
        self._billing = billing
        self._subscriptions = subscriptions
        self._clock = clock

    async def claim(self, cancellation_id: UUID) -> float | None:
        """Claim a cancellation whose time has come: from then on it cannot be withdrawn.

        Return 0 when it is claimed, the seconds to wait before its time, and None where it was withdrawn.
        """
        async with self._database.unit_of_work() as session:
            row = await _locked(session, cancellation_id)
            if row.state == "sending":
                return 0.0
            if row.state != "scheduled":
                return None
            seconds = (row.sends_at - self._clock()).total_seconds()
            if seconds <= 0:
                row.set_state("sending", self._clock())
        await publish(self._live, row.user_id)
        return max(0.0, seconds)

    async def held(self) -> list[str]:
        """Return the ids of cancellations that wait for their time."""
        query = sa.select(col(CancellationRow.id)).where(col(CancellationRow.state) == "scheduled")
        async with self._database.unit_of_work() as session:
            return [str(row[0]) for row in await (await session.connection()).execute(query)]

    async def send(self, cancellation_id: UUID) -> None:
        """Ask WHMCS to end the service with its billing period, unless it was asked before or the service is over.

        Raises OutcomeUnknown while an earlier call, whose answer we never saw, may still be running inside WHMCS.
        """
        request, customer = await self._read(cancellation_id)
        client_id, service_id = customer.whmcs_client_id, request.service_id
        if await self._is_over(customer, service_id):
            return
        reason = f"{request.reason_text} (portal request {request.id})"

        async def ask() -> bool:
            await self._gateway.request_cancellation(client_id, service_id, reason=reason, at_period_end=True)
            return True

        async def was_asked() -> bool | None:
            return service_id in await self._gateway.cancellations() or None

        await self._guard.send(cancellation_id, ask, look_up=was_asked, vendor="whmcs")

    async def note_sent(self, cancellation_id: UUID) -> None:
        """Record that WHMCS has it, and mark the mirrors stale: WHMCS may have changed invoices too."""
        request, customer = await self._read(cancellation_id)
        if request.state == "sending":
            await self._subscriptions.mark_stale(customer)
            await self._billing.mark_stale(customer)
        await self._move(cancellation_id, "sent", only_from=("sending",), tag=Tag.CANCELLATION_SENT)

    async def refuse(self, cancellation_id: UUID) -> None:
        """Record that WHMCS refused it: staff take over, and the customer is notified."""
        await self._move(
            cancellation_id,
            "refused",
            only_from=("scheduled", "sending"),
            tag=Tag.CANCELLATION_REFUSED,
            template="cancellation_refused",
        )

    async def ended(self) -> list[str]:
        """Return the requests whose service is over by what was last read from WHMCS."""
        async with self._database.unit_of_work() as session:
            connection = await session.connection()
            return [str(row[0]) for row in await connection.execute(_ENDED, {"over": list(OVER_STATUSES)})]

    async def end(self, cancellation_id: UUID) -> None:
        """Record that a service is over, and notify the customer."""
        await self._move(
            cancellation_id, "ended", only_from=("sent",), tag=Tag.SERVICE_ENDED, template="cancellation_ended"
        )

    async def show_agents(self, cancellation_id: UUID) -> bool:
        """Write the state of the request to Salesforce; return whether the state was still the same afterwards."""
        request, customer = await self._read(cancellation_id)
        client_id, opportunity_id = customer.whmcs_client_id, ""
        with suppress(NotFound):
            opportunity_id = await self._gateway.service_field(client_id, request.service_id, self._field)
        await self._cases.show(customer, request, opportunity_id=opportunity_id)
        return (await self._read(cancellation_id))[0].state == request.state

    async def _is_over(self, customer: Customer, service_id: int) -> bool:
        try:
            service = await self._gateway.subscription(customer.whmcs_client_id, service_id)
        except NotFound:
            return True
        return service.is_over

    async def _move(
        self,
        cancellation_id: UUID,
        state: CancellationState,
        *,
        only_from: tuple[CancellationState, ...],
        tag: Tag,
        template: str = "",
    ) -> None:
        async with self._database.unit_of_work() as session:
            row = await _locked(session, cancellation_id)
            if row.state not in only_from:
                return
            row.set_state(state, self._clock())
            record(session, tag, user_id=row.user_id, detail=detail_of(row))
            if template:
                user = await User.required(session, row.user_id)
                await tell_customer(
                    session, row, template, email_outbox=self._context.email_outbox, recipient=user.email
                )
            name = f"tell-cancellation-{row.id}-{state}"
            await self._context.queue.enqueue(session, "tell_cancellation", name, str(row.id))
        await publish(self._live, row.user_id)

    async def _read(self, cancellation_id: UUID) -> tuple[CancellationRequest, Customer]:
        async with self._database.unit_of_work() as session:
            return await CancellationRow.with_customer(session, cancellation_id)


async def _locked(session: AsyncSession, cancellation_id: UUID) -> CancellationRow:
    row = await session.get(CancellationRow, cancellation_id, with_for_update=True)
    if row is None:
        raise NotFound("no such cancellation")
    return row
