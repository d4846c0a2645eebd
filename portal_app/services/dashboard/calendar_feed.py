"""The calendar link: a secret address with days and names only, for calendar programs that cannot sign in."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from sqlmodel import select

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.dashboard.calendar import CalendarEntry, CalendarFeed
from portal_app.domain.errors import NotFound
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import CancellationRequest
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now, today
from portal_app.language import parse_language
from portal_app.models.calendar import CalendarLink
from portal_app.models.mirror import MirrorState
from portal_app.models.user import IdMapping, User
from portal_app.services.audit import Tag, record
from portal_app.services.billing.invoices import Billing
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.sessions import end_calendar_link
from portal_app.services.subscriptions.cancellations import Cancellations
from portal_app.services.subscriptions.subscriptions import Subscriptions

_PURPOSE = "calendar"
_MOST_INVOICES, _LONGEST_TOKEN = 100, 100


class Calendar:
    """Make, end and answer calendar links, from saved data: no vendor is called."""

    def __init__(
        self, context: ServiceContext, *, billing: Billing, subscriptions: Subscriptions, cancellations: Cancellations
    ) -> None:
        self._context = context
        self._database = context.database
        self._lists = billing.lists
        self._services = subscriptions.mirror
        self._cancellations = cancellations

    async def made_at(self, user_id: UUID) -> datetime | None:
        """Return when a user's link was made, None where there is none. The link itself is not stored."""
        async with self._database.unit_of_work(customer=user_id) as session:
            row = await session.get(CalendarLink, user_id)
            return row.created_at if row else None

    async def renew(self, user_id: UUID, session_id: UUID) -> str:
        """Make a new link and return its token, which is not stored; the former link stops working.

        The owner gets a mail: the link can be read without a session. Raises StepUpNeeded, RateLimited.
        """
        await self._context.sessions.require_recent(session_id)
        await self._context.customer_limits.count_change(user_id, "calendar-link")
        async with self._context.database.identity() as session:
            recipient = (await User.required(session, user_id)).email
        token = self._context.secrets.tokens.new()
        async with self._database.unit_of_work(customer=user_id) as session:
            hashed = self._context.secrets.tokens.hash(token, _PURPOSE)
            await session.merge(CalendarLink(user_id=user_id, token_hash=hashed, created_at=now()))
            record(session, Tag.CALENDAR_OPENED, user_id=user_id, actor="you")
            await self._context.email_outbox.enqueue(
                session, "calendar_link_made", recipient=recipient, user_id=user_id
            )
        return token

    async def revoke(self, user_id: UUID) -> None:
        """End a user's link."""
        async with self._database.unit_of_work(customer=user_id) as session:
            await end_calendar_link(session, user_id)

    async def feed(self, token: str, *, network: str) -> CalendarFeed:
        """Return the days of a token's customer. Raises NotFound for an unknown token, RateLimited per network."""
        await self._context.limits.consume(self._context.settings.portal_calendar_limit, "calendar", network)
        if not token or len(token) > _LONGEST_TOKEN:
            raise NotFound("no such calendar")
        async with self._database.identity() as session:
            link = await CalendarLink.by_hash(session, self._context.secrets.tokens.hash(token, _PURPOSE))
            user = await session.get(User, link.user_id) if link else None
            mapping = await session.get(IdMapping, link.user_id) if link else None
        if user is None or mapping is None or user.status != "active":
            raise NotFound("no such calendar")
        customer = mapping.to_domain()
        invoices = await self._lists.unpaid(customer, most=_MOST_INVOICES)
        requests = await self._cancellations.requests_for(customer)
        services = await self._services.all(customer)
        entries = (*_dues(invoices), *_renewals(services, requests), *_endings(requests.values()))
        return CalendarFeed(parse_language(user.language), entries, await self._read_at(customer))

    async def _read_at(self, customer: Customer) -> datetime:
        query = select(MirrorState.read_at).where(MirrorState.user_id == customer.user_id)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            found = [read_at for read_at in (await session.exec(query)).all() if read_at is not None]
        return max(found, default=now())


def _dues(invoices: Iterable[Invoice]) -> Iterator[CalendarEntry]:
    for invoice in invoices:
        if invoice.due_on is not None:
            yield CalendarEntry("due", invoice.id, invoice.label, invoice.due_on)


def _renewals(services: Iterable[Subscription], requests: dict[int, CancellationRequest]) -> Iterator[CalendarEntry]:
    for service in services:
        request = requests.get(service.id)
        is_ending = request is not None and request.is_open
        if service.renews and service.next_due_on and service.next_due_on >= today() and not is_ending:
            yield CalendarEntry("renewal", service.id, service.name, service.next_due_on)


def _endings(requests: Iterable[CancellationRequest]) -> Iterator[CalendarEntry]:
    for request in requests:
        if request.is_open:
            yield CalendarEntry("last_day", request.service_id, request.service_name, request.ends_on)
        if request.state == "scheduled":
            yield CalendarEntry("withdraw_until", request.service_id, request.service_name, request.withdraw_until)
