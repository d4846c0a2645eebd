"""Automatic top-ups: chosen by customers for a line, and started by the worker from stored readings."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, OfferChanged
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.auto_top_up import (
    AutoLimits,
    AutoStanding,
    AutoTopUp,
    AutoWish,
    Decision,
    decide,
    spent_in,
)
from portal_app.domain.sim.line_reading import month_begin, month_of, reading_of
from portal_app.infra.clock import now, today
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.line_alert import AutoTopUpRow
from portal_app.models.notification_preference import Reminder
from portal_app.models.sim_line import SimLineRow
from portal_app.models.top_up import TopUpRow
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.sim.top_ups import TopUpPrices, begin, take_turn
from portal_app.services.sim_alerts.alerts import linked_line
from portal_app.services.sim_alerts.line_facts import LineRecords
from portal_app.services.sim_alerts.top_up_outcomes import tell_of_choice

_log = structlog.get_logger(__name__)


class AutoTopUps:
    """What customers choose, and what the worker does with it."""

    def __init__(self, context: ServiceContext, records: LineRecords, live: LiveUpdates) -> None:
        self._context = context
        self._database = context.database
        self._records = records
        self._live = live
        self._prices = TopUpPrices.of(context.settings)
        self._limits = AutoLimits(
            reading=timedelta(hours=context.settings.portal_auto_top_up_reading_hours),
            month_end=timedelta(hours=context.settings.portal_auto_top_up_month_end_hours),
        )

    async def of_service(self, customer: Customer, service_id: int) -> AutoStanding:
        """Return the choice for a customer's line. Raises NotFound for a service without one."""
        month = today().replace(day=1)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            await linked_line(session, customer, service_id)
            row = await AutoTopUpRow.of_service(session, customer.user_id, service_id)
            bought = await TopUpRow.of_lines(session, [service_id], since=month_begin(month))
        spent = spent_in([each.to_past() for each in bought], month, with_open=True)
        return AutoStanding(row.to_domain() if row else None, Money(spent, self._prices.per_gigabyte.currency))

    async def turn_on(self, customer: Customer, service_id: int, wish: AutoWish) -> None:
        """Keep what a customer agreed to after a proof of identity; the same again changes nothing.

        Raises InvalidInput, OfferChanged where an amount costs another total than was shown, NotFound, RateLimited.
        """
        choice = self._read(wish)
        await self._context.customer_limits.count_change(customer.user_id, "auto-top-up")
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            await linked_line(session, customer, service_id)
            # The same turn as a purchase takes: two tabs that turn it on first find each other's row.
            await take_turn(session, service_id)
            row = await session.get(AutoTopUpRow, service_id, with_for_update=True)
            if row is not None and row.to_domain() == choice:
                return
            wanted = AutoTopUpRow(
                service_id=service_id,
                user_id=customer.user_id,
                gigabytes=choice.gigabytes,
                threshold_mb=choice.threshold_mb,
                total=choice.total.minor,
                cap=choice.cap.minor,
                currency=choice.total.currency,
            )
            await session.merge(wanted)
            detail = {
                "service": str(service_id), "gigabytes": str(choice.gigabytes), "below_mb": str(choice.threshold_mb),
                "cap": str(choice.cap.minor), "total": str(choice.total.minor),
            }  # fmt: skip
            record(session, Tag.AUTO_TOP_UP_ON, user_id=customer.user_id, actor="you", detail=detail)

    async def turn_off(self, customer: Customer, service_id: int) -> None:
        """Turn it off at once, where it is on: nothing more begins by itself. Raises NotFound."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            await linked_line(session, customer, service_id)
            row = await session.get(AutoTopUpRow, service_id, with_for_update=True)
            if row is not None and row.is_on:
                row.turn_off("you")
                detail = {"service": str(service_id), "reason": "you"}
                record(session, Tag.AUTO_TOP_UP_OFF, user_id=customer.user_id, actor="you", detail=detail)

    async def on_of(self, service_ids: Sequence[int]) -> list[int]:
        """Return which of some lines have it on; for the worker."""
        async with self._database.unit_of_work() as session:
            return [row.service_id for row in await AutoTopUpRow.on_of(session, service_ids)]

    async def start(self, service_id: int) -> Decision | str:
        """Begin a purchase where the choice, the newest reading and the purchases before it say so. Safe to repeat.

        A second call finds the purchase of the first under way, or no reading after its data.
        """
        allowances = await self._records.allowances()
        async with self._database.unit_of_work() as session:
            await take_turn(session, service_id)
            row = await session.get(AutoTopUpRow, service_id, with_for_update=True)
            found = await self._records.read(session, [service_id], allowances, with_history=False)
            if row is None or service_id not in found or found[service_id].user_id != row.user_id:
                return "off"
            facts, past = found[service_id].facts, found[service_id].past
            total, choice = self._prices.total(row.gigabytes), row.to_domain()
            present = replace(choice, total=total)
            decision = decide(present, reading_of(facts), past, self._limits, at=now())
            if decision in ("start", "cap") and total.minor > choice.total.minor:
                decision = "price_changed"
            came = await self._carry_out(session, row, present, decision)
            user_id = row.user_id
        if came in ("start", "cap", "price_changed"):
            _log.info("auto_top_up.decided", service=service_id, decision=came)
            for topic in ("orders", "notices"):
                await self._live.publish(Change(user_id, topic, str(service_id) if topic == "orders" else ""))
        return came

    async def _carry_out(
        self, session: AsyncSession, row: AutoTopUpRow, choice: AutoTopUp, decision: Decision
    ) -> Decision | str:
        outbox = self._context.email_outbox
        if decision == "start":
            line = await session.get(SimLineRow, row.service_id)
            if line is None:
                return "off"
            try:
                await begin(
                    session,
                    self._context.queue,
                    line,
                    gigabytes=choice.gigabytes,
                    total=choice.total,
                    is_automatic=True,
                )
            except Conflict as error:
                return error.code
        elif decision == "price_changed":
            row.turn_off("price_changed")
            detail = {"service": str(row.service_id), "reason": "price_changed"}
            record(session, Tag.AUTO_TOP_UP_OFF, user_id=row.user_id, detail=detail)
            await tell_of_choice(session, outbox, row, "auto_top_up_off")
        elif decision == "cap":
            month = f"{row.service_id}:{month_of(now()):%Y-%m}"
            if await Reminder.record_first(session, row.user_id, "auto_top_up_cap", month):
                await tell_of_choice(session, outbox, row, "auto_top_up_cap")
        return decision

    def _read(self, wish: AutoWish) -> AutoTopUp:
        some = AutoTopUp.parse(wish.gigabytes, wish.threshold_mb, wish.cap, price=self._prices.total)
        if some.total.minor != wish.agreed:
            raise OfferChanged(f"agreed to {wish.agreed}, costs {some.total.minor}")
        return some
