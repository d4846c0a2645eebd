"""Cancellations: taken from the customer, held until nothing can be withdrawn any more, then sent by durable work.

No call of WHMCS takes a cancellation back, so until the cut-off it is in the portal alone.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, NotFound
from portal_app.domain.idempotency import Claim
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import (
    CancellationFeedback,
    CancellationRequest,
    CancellationRequester,
    CancellationSchedule,
    cancellation_schedule,
)
from portal_app.domain.subscriptions.service_kind import ServiceKind
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now
from portal_app.infra.database.durable import WakeTopic
from portal_app.infra.database.locks import lock_name
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.cancellation import CancellationRow
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.notifications.email_outbox import EmailOutbox
from portal_app.services.notifications.notices import raise_notice
from portal_app.services.subscriptions.subscriptions import Subscriptions

_TOO_LATE = "It is too late to withdraw this cancellation: it was sent on. Write to us if you want to keep the service."
_NO_SERVICE: dict[ServiceKind, str] = {
    "fee": "This was paid once and for all. There is nothing to cancel.",
    "instalment": "This pays for something in parts. It hangs on its line and ends with it: cancel the line instead.",
}


class Cancellations:
    """What a customer can do about the end of a service."""

    def __init__(
        self,
        context: ServiceContext,
        subscriptions: Subscriptions,
        live: LiveUpdates,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._context = context
        self._database = context.database
        self._subscriptions = subscriptions
        self._live = live
        self._clock = clock

    def schedule_for(self, service: Subscription) -> CancellationSchedule | None:
        """Return when a service would end if it were cancelled now; None where it cannot be cancelled here."""
        if not service.is_service or service.status not in ("active", "suspended"):
            return None
        return cancellation_schedule(self._clock(), cut_off=self._context.settings.portal_cancellation_cut_off)

    async def requests_for(self, customer: Customer) -> dict[int, CancellationRequest]:
        """Return a customer's newest request for each service that has one."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            rows = await CancellationRow.newest(session, customer.user_id)
            return {row.service_id: row.to_domain() for row in rows}

    async def request(self, customer: Customer, cancellation_id: UUID) -> CancellationRequest:
        """Return one request. Raises NotFound, also for another customer's."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(CancellationRow, cancellation_id)
            if row is None:
                raise NotFound("no such cancellation")
            return row.to_domain()

    async def schedule(
        self,
        customer: Customer,
        service_id: int,
        wish: CancellationFeedback,
        *,
        asked: CancellationRequester,
        claim: Claim,
    ) -> str:
        """Take a cancellation and return its id; the claim is finished in the same transaction.

        Raises StepUpNeeded, NotFound (also for another customer's service), Conflict where the service is ending
        already or cannot be cancelled here, and RateLimited.
        """
        await self._context.sessions.require_recent(asked.session_id)
        service, _ = await self._subscriptions.subscription_for(customer, service_id)
        if words := _NO_SERVICE.get(service.kind):
            raise Conflict(f"cancels a {service.kind}", user_message=words)
        ending = self.schedule_for(service)
        if ending is None:
            raise Conflict("not cancellable", user_message="This service cannot be cancelled here. Write to us.")
        await self._context.customer_limits.count_change(customer.user_id, "cancellation")
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            # Two keys for one service queue up here; the second finds what the first wrote.
            await lock_name(session, f"cancel:{customer.user_id}:{service_id}")
            if await CancellationRow.open_of(session, customer.user_id, service_id):
                raise Conflict("open already", user_message="This service is cancelled already.")
            row = _row(customer, service, wish, ending=ending, at=self._clock())
            session.add(row)
            await session.flush()
            await self._context.queue.enqueue(session, "cancel_service", workflow_of(row.id), str(row.id))
            await self._record(session, row, Tag.CANCELLATION_SCHEDULED, recipient=asked.recipient)
            await claim.finish(session, str(row.id))
        await publish(self._live, customer.user_id)
        return str(row.id)

    async def withdraw(self, customer: Customer, service_id: int, *, asked: CancellationRequester, claim: Claim) -> str:
        """Take a scheduled cancellation back and return its id: the service stays.

        Raises NotFound where none is open, Conflict once it was sent on.
        """
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            # The worker that sends it takes the same lock: the second of the two sees what the first did.
            row = await CancellationRow.open_of(session, customer.user_id, service_id)
            if row is None:
                raise NotFound("no open cancellation")
            if not row.to_domain().can_be_withdrawn(self._clock()):
                raise Conflict("sent already", user_message=_TOO_LATE)
            row.set_state("withdrawn", self._clock())
            await self._context.queue.send(
                session, workflow_of(row.id), "withdrawn", topic=WakeTopic.CANCELLATION, key=uuid4().hex
            )
            await self._record(session, row, Tag.CANCELLATION_WITHDRAWN, recipient=asked.recipient)
            await claim.finish(session, str(row.id))
        await publish(self._live, customer.user_id)
        return str(row.id)

    async def _record(self, session: AsyncSession, row: CancellationRow, tag: Tag, *, recipient: str) -> None:
        record(session, tag, user_id=row.user_id, actor="you", detail=detail_of(row))
        template = f"cancellation_{row.state}"
        await tell_customer(session, row, template, email_outbox=self._context.email_outbox, recipient=recipient)
        name = f"tell-cancellation-{row.id}-{row.state}"
        await self._context.queue.enqueue(session, "tell_cancellation", name, str(row.id))


def _row(
    customer: Customer,
    service: Subscription,
    feedback: CancellationFeedback,
    *,
    ending: CancellationSchedule,
    at: datetime,
) -> CancellationRow:
    return CancellationRow(
        user_id=customer.user_id,
        service_id=service.id,
        service_name=service.name,
        category=service.category,
        reason=feedback.reason,
        comment=feedback.comment,
        ends_on=ending.ends_on,
        sends_at=ending.sends_at,
        asked_at=at,
        changed_at=at,
    )


async def tell_customer(
    session: AsyncSession, row: CancellationRow, template: str, *, email_outbox: EmailOutbox, recipient: str
) -> None:
    """Notify the customer of a cancellation's state by mail and in the portal, in the caller's transaction."""
    about = {"title": row.service_name, "service_id": str(row.service_id), "last_day": row.ends_on.isoformat()}
    if row.state == "scheduled":
        about["withdraw_until"] = row.to_domain().withdraw_until.isoformat()
    await email_outbox.enqueue(session, template, recipient=recipient, user_id=row.user_id, **about)
    await raise_notice(
        session,
        template,
        user_id=row.user_id,
        source_id=str(row.id),
        subject=row.service_name,
        path=f"/subscriptions/{row.service_id}",
    )


async def publish(live: LiveUpdates, user_id: UUID) -> None:
    """Have open pages read services and notices again."""
    await live.publish(Change(user_id, "billing"))
    await live.publish(Change(user_id, "notices", ""))


def workflow_of(cancellation_id: UUID) -> str:
    """Return the id of the workflow that executes a cancellation."""
    return f"cancel-{cancellation_id}"


def detail_of(row: CancellationRow) -> dict[str, str]:
    """Return what the audit log stores of a cancellation."""
    return {"cancellation": str(row.id), "service": str(row.service_id)}
