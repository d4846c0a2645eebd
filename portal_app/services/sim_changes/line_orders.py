"""Changes of lines: taken from the customer with their price, withdrawn, and shown."""

from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, LineLocked, NotFound, OfferChanged
from portal_app.domain.idempotency import Claim
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.line_change import CARRIER, NETWORK_WAITS_FOR, VOICE_WAITS_FOR
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.domain.sim.sim import NetworkType, VoiceOption
from portal_app.domain.sim_changes.line_order import LineOrder, LineOrderKind, slot_of
from portal_app.domain.sim_changes.plan_change import PlanSchedule, plan_schedule
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now
from portal_app.infra.database.durable import WakeTopic
from portal_app.infra.database.locks import lock_name
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.cancellation import CancellationRow
from portal_app.models.line_change import LineChangeRow
from portal_app.models.line_order import LineOrderRow
from portal_app.models.sim_line import SimLineRow
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.sim.line_status import LineStatus
from portal_app.services.sim_changes.announcements import LineAnnouncements
from portal_app.services.sim_changes.offers import LineOffers

_SHOWN = 12
_NOT_ACTIVE = "Only a line that is active and does not end can be changed. This line is not, or we cannot tell now."
_UNDER_WAY = "A change of this line is under way already. Look below: it is shown as it goes on."
_SAME = "Your line is set like this already."
_TOO_LATE = "It is too late to withdraw this: it was sent to the carrier."
_WAITS_FOR: dict[LineOrderKind, tuple[str, ...]] = {"voice": VOICE_WAITS_FOR, "network": NETWORK_WAITS_FOR}


class LineOrders:
    """What customers do and see; the worker does the rest."""

    def __init__(self, context: ServiceContext, *, status: LineStatus, offers: LineOffers, live: LiveUpdates) -> None:
        self._context = context
        self._database = context.database
        self._status = status
        self._live = live
        self._tell = LineAnnouncements(context.email_outbox)
        self.offers = offers

    def with_tax(self, price: Money) -> Money:
        """Return a price with tax."""
        return price.with_tax(Decimal(self._context.settings.tax_percent))

    def plan_schedule(self) -> PlanSchedule:
        """Return from when a plan that is asked for now would be had, and until when it can be withdrawn."""
        return plan_schedule(now(), days_before_end=self._context.settings.portal_plan_cut_off_days)

    async def switch_voice(
        self,
        customer: Customer,
        service: Subscription,
        option: VoiceOption,
        *,
        is_on: bool,
        agreed: int,
        when_free: bool,
        claim: Claim,
    ) -> str:
        """Take the switch of a voice option and return its id; the claim is finished in the same transaction.

        `agreed` is the monthly price with tax that the customer saw, 0 for off. Raises OfferChanged where it is another
        now, NotFound for a line without voice or option, Conflict, LineLocked and RateLimited as `_take`.
        """
        offer = (await self.offers.voice(service.product_id)).get(option)
        if offer is None:
            raise NotFound("option not sold")
        self._check_price(offer.price if is_on else Money(0, offer.price.currency), agreed)
        target = "on" if is_on else "off"
        row = _row(customer, service, "voice", option=option, target=target, title=offer.name)
        row.product_id, row.price = offer.product_id, offer.price.minor if is_on else 0
        row.old_price = 0 if is_on else offer.price.minor
        return await self._take(customer, row, when_free=when_free, claim=claim)

    async def change_network(
        self, customer: Customer, service: Subscription, network: NetworkType, *, when_free: bool, claim: Claim
    ) -> str:
        """Take a change between 4G and 5G and return its id. Raises as `_take`."""
        row = _row(customer, service, "network", target=network, title=network)
        return await self._take(customer, row, when_free=when_free, claim=claim)

    async def change_plan(
        self, customer: Customer, service: Subscription, sku: str, *, agreed: int, recipient: str, claim: Claim
    ) -> str:
        """Take a plan change, held until the cut-off, and return its id; `recipient` gets it by mail.

        Raises NotFound for a plan that this line cannot have, OfferChanged, and as `_take`.
        """
        present, others = await self.offers.plans(service.product_id)
        plan = next((each for each in others if each.sku == sku), None)
        if present is None or plan is None:
            raise NotFound("no plan for this line")
        self._check_price(plan.price, agreed)
        schedule = self.plan_schedule()
        row = _row(customer, service, "plan", target=plan.code, title=plan.name)
        row.product_id, row.old_product_id = plan.product_id, present.product_id
        row.price, row.old_price = plan.price.minor, service.recurring.minor
        row.state, row.effective_on, row.sends_at = "held", schedule.effective_on, schedule.sends_at
        return await self._take(customer, row, recipient=recipient, claim=claim)

    async def withdraw(
        self, customer: Customer, service_id: int, order_id: UUID, *, recipient: str, claim: Claim
    ) -> str:
        """Take a change back that was not sent yet, and return its id. Raises NotFound, Conflict once it was sent."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            # The worker that sends it takes the same lock: the second of the two sees what the first did.
            row = await session.get(LineOrderRow, order_id, with_for_update=True)
            if row is None or row.user_id != customer.user_id or row.service_id != service_id:
                raise NotFound("no such change")
            is_late = row.kind == "plan" and row.sends_at is not None and row.sends_at <= now()
            if not row.to_domain().can_be_withdrawn or is_late:
                raise Conflict(f"is {row.state}", user_message=_TOO_LATE, code="sent_already")
            row.move("withdrawn")
            name = workflow_of(row.id)
            await self._context.queue.send(session, name, "look", topic=WakeTopic.LINE_ORDER, key=uuid4().hex)
            record(session, Tag.LINE_ORDER_WITHDRAWN, user_id=row.user_id, actor="you", detail=detail_of(row))
            if row.kind == "plan":
                await self._tell.customer(session, row, "plan_change_withdrawn", recipient=recipient)
            await claim.finish(session, str(row.id))
        await self._publish(row)
        return str(row.id)

    async def of_service(self, customer: Customer, service_id: int) -> list[LineOrder]:
        """Return a service's changes, newest first; none for somebody else's."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            rows = await LineOrderRow.of_service(session, service_id, limit=_SHOWN)
            return [row.to_domain() for row in rows if row.user_id == customer.user_id]

    async def one(self, customer: Customer, order_id: UUID) -> LineOrder:
        """Return one change. Raises NotFound, also for somebody else's."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(LineOrderRow, order_id)
            if row is None or row.user_id != customer.user_id:
                raise NotFound("no such change")
            return row.to_domain()

    async def _take(
        self, customer: Customer, row: LineOrderRow, *, claim: Claim, when_free: bool = False, recipient: str = ""
    ) -> str:
        """Write a change with its audit entry and its workflow.

        Raises NotFound without a linked line, Conflict where the line is not known to be active, ends, is set like this
        or has a change under way, LineLocked where another change locks it and it is not to wait, RateLimited.
        """
        if await self._status.saved_line(customer, row.service_id) is None:
            raise NotFound("no linked line")
        await self._context.customer_limits.count_change(customer.user_id, "line-change")
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            # Two keys for one line queue up here; the second finds what the first wrote.
            await lock_name(session, f"line-order:{row.service_id}")
            line = await SimLineRow.of_service(session, customer.user_id, row.service_id)
            if line is None or not line.is_linked or line.number_index is None:
                raise NotFound("no linked line")
            await self._check(session, line.to_snapshot(), row)
            row.line = line.number_index
            if row.kind != "plan":
                row.sends_at = await locked_until(session, row)
                row.state = "queued" if row.sends_at else "sending"
            if row.sends_at and row.kind != "plan" and not when_free:
                raise LineLocked(ceil((row.sends_at - now()).total_seconds()))
            session.add(row)
            await session.flush()
            await self._context.queue.enqueue(session, "change_line", workflow_of(row.id), str(row.id))
            record(session, Tag.LINE_ORDER_ASKED, user_id=row.user_id, actor="you", detail=detail_of(row))
            if row.kind == "plan":
                await self._tell.customer(session, row, "plan_change_held", recipient=recipient)
            await claim.finish(session, str(row.id))
        await self._publish(row)
        return str(row.id)

    async def _check(self, session: AsyncSession, snapshot: LineSnapshot, row: LineOrderRow) -> None:
        is_ending = await CancellationRow.open_of(session, row.user_id, row.service_id) is not None
        if snapshot.state != "active" or snapshot.ends_on is not None or is_ending:
            raise Conflict(f"line is {snapshot.state}", user_message=_NOT_ACTIVE, code="line_not_active")
        if await LineOrderRow.unsettled_of(session, row.service_id, row.slot) is not None:
            raise Conflict("one is under way", user_message=_UNDER_WAY, code="line_order_under_way")
        is_on = snapshot.voice.get(row.option) if row.kind == "voice" else None  # type: ignore[call-overload]
        if row.kind == "voice" and is_on is None:
            raise Conflict("option unknown", user_message=_NOT_ACTIVE, code="line_not_active")
        shown = {"voice": "on" if is_on else "off", "network": snapshot.network, "plan": snapshot.plan_code}
        if shown[row.kind] == row.target:
            raise Conflict("set already", user_message=_SAME, code="line_set_already")

    def _check_price(self, price: Money, agreed: int) -> None:
        total = self.with_tax(price)
        if total.minor != agreed:
            raise OfferChanged(f"agreed to {agreed}, costs {total.minor}")

    async def _publish(self, row: LineOrderRow) -> None:
        await self._live.publish(Change(row.user_id, "orders", str(row.service_id)))
        await self._live.publish(Change(row.user_id, "notices", ""))


def _row(
    customer: Customer, service: Subscription, kind: LineOrderKind, *, target: str, title: str, option: str = ""
) -> LineOrderRow:
    return LineOrderRow(
        user_id=customer.user_id,
        service_id=service.id,
        line=b"",
        slot=slot_of(kind),
        kind=kind,
        option=option,
        target=target,
        title=title,
        currency=service.recurring.currency,
        state="sending",
    )


async def locked_until(session: AsyncSession, row: LineOrderRow) -> datetime | None:
    """Return when the last lock ends that holds a change up, also one the carrier told of; None on a free line."""
    kinds = (*_WAITS_FOR.get(row.change_kind, ()), CARRIER)
    moment, rows = now(), await LineChangeRow.of_line(session, row.line)
    locking = [each.held_until for each in rows if each.kind in kinds and each.to_domain().locks_at(moment)]
    return max(locking, default=None)


def workflow_of(order_id: UUID) -> str:
    """Return the id of the workflow that carries a change out."""
    return f"line-order-{order_id}"


def detail_of(row: LineOrderRow) -> dict[str, str]:
    """Return what the audit log keeps of a change."""
    what = f"{row.option} {row.target}".strip()
    return {"change": str(row.id), "service": str(row.service_id), "kind": row.kind, "wanted": what}


def seconds_until(moment: datetime | None, *, grace: timedelta = timedelta(0)) -> float:
    """Return the seconds until a moment, 0 where it is over or there is none."""
    return max(0.0, (moment + grace - now()).total_seconds()) if moment else 0.0
