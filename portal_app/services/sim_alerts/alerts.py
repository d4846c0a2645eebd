"""Alerts of SIM lines: set by customers, judged by stored readings in batches, and told once each."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.alerts import Alert, AlertKind, Judgement, SetAlert, judge_left, judge_spend
from portal_app.domain.sim.auto_top_up import spent_in
from portal_app.domain.sim.line_reading import LineReading, month_of, reading_of
from portal_app.domain.sim.usage import data_amount
from portal_app.infra.clock import now
from portal_app.infra.database.locks import lock_name
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.line_alert import LineAlertRow
from portal_app.models.sim_line import SimLineRow
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.notifications.notices import raise_notice
from portal_app.services.sim_alerts.line_facts import LineRecord, LineRecords

_log = structlog.get_logger(__name__)
# Customers told in one transaction.
_TOLD_AT_ONCE = 50
_WRITE = sa.text("""
UPDATE line_alerts a
SET seen_at = v.seen_at, fired_at = v.fired_at, fired_month = v.fired_month,
    value = CASE WHEN v.fires THEN v.value ELSE a.value END, is_due = a.is_due OR v.fires
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS v(service_id int, kind text, seen_at timestamptz,
    fired_at timestamptz, fired_month date, fires boolean, value int)
WHERE a.service_id = v.service_id AND a.kind = v.kind
""")


class LineAlerts:
    """What customers set, and what the worker does with it."""

    def __init__(self, context: ServiceContext, records: LineRecords, live: LiveUpdates) -> None:
        self._context = context
        self._database = context.database
        self._records = records
        self._live = live

    async def of_service(self, customer: Customer, service_id: int) -> list[SetAlert]:
        """Return the alerts of a customer's line. Raises NotFound for a service without one."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            await linked_line(session, customer, service_id)
            rows = await LineAlertRow.of_service(session, customer.user_id, service_id)
            return [row.to_set() for row in rows]

    async def set(self, customer: Customer, service_id: int, alert: Alert) -> None:
        """Set an alert of a line; the same again changes nothing. Raises NotFound and RateLimited."""
        await self._context.customer_limits.count_change(customer.user_id, "line-alert")
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            await linked_line(session, customer, service_id)
            # Two tabs that set the first one queue up here: a row that is not there cannot be locked.
            await lock_name(session, f"line-alert:{service_id}:{alert.kind}")
            row = await session.get(LineAlertRow, (service_id, alert.kind), with_for_update=True)
            if row is not None and row.to_alert() == alert:
                return
            wanted = LineAlertRow(
                service_id=service_id, kind=alert.kind, user_id=customer.user_id, amount=alert.amount, unit=alert.unit
            )
            await session.merge(wanted)
            detail = {"service": str(service_id), "alert": alert.kind, "amount": str(alert.amount), "unit": alert.unit}
            record(session, Tag.LINE_ALERT_SET, user_id=customer.user_id, actor="you", detail=detail)

    async def remove(self, customer: Customer, service_id: int, kind: AlertKind) -> None:
        """Remove an alert of a line, where there is one. Raises NotFound."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            await linked_line(session, customer, service_id)
            row = await session.get(LineAlertRow, (service_id, kind), with_for_update=True)
            if row is not None:
                await session.delete(row)
                detail = {"service": str(service_id), "alert": kind}
                record(session, Tag.LINE_ALERT_REMOVED, user_id=customer.user_id, actor="you", detail=detail)

    async def judge(self, service_ids: Sequence[int]) -> int:
        """Judge the alerts of some lines by what is stored of them; return how many fired. Safe to repeat."""
        allowances = await self._records.allowances()
        async with self._database.unit_of_work() as session:
            rows = await LineAlertRow.of_lines(session, service_ids)
            by_line: defaultdict[int, list[LineAlertRow]] = defaultdict(list)
            for row in rows:
                by_line[row.service_id].append(row)
            found: dict[int, LineRecord] = {}
            for with_history in (False, True):
                ids = [each for each, alerts in by_line.items() if _needs_history(alerts) == with_history]
                found |= await self._records.read(session, ids, allowances, with_history=with_history) if ids else {}
            judged = [
                (row, judgement)
                for service_id, line in found.items()
                for row, judgement in _judged(by_line[service_id], line, at=now())
            ]
            changes = [_written(row, each) for row, each in judged if each.fires or each.state != row.to_state()]
            if changes:
                await (await session.connection()).execute(_WRITE, {"rows": json.dumps(changes)})
        fired = sum(each.fires for _, each in judged)
        if fired:
            _log.info("line_alerts.fired", lines=len(found), fired=fired)
        return fired

    async def tell(self, service_ids: Sequence[int]) -> int:
        """Tell the next customers of alerts that fired, each once; return how many were told. Safe to repeat."""
        async with self._database.unit_of_work() as session:
            rows = await LineAlertRow.due(session, service_ids, limit=_TOLD_AT_ONCE)
            for row in rows:
                await self._tell(session, row)
                row.is_due = False
            users = {(row.user_id, row.service_id) for row in rows}
        for user_id, service_id in users:
            await self._live.publish(Change(user_id, "notices", ""))
            await self._live.publish(Change(user_id, "orders", str(service_id)))
        return len(rows)

    async def _tell(self, session: AsyncSession, row: LineAlertRow) -> None:
        line = await session.get(SimLineRow, row.service_id)
        number = f"…{line.number[-4:]}" if line is not None and line.number else ""
        kind, value = f"line_alert_{row.kind}", self._words_of(row)
        user = await User.required(session, row.user_id)
        await self._context.email_outbox.enqueue(
            session, kind, recipient=user.email, user_id=user.id, number=number, amount=value,
            service_id=str(row.service_id),
        )  # fmt: skip
        await raise_notice(
            session,
            kind,
            user_id=row.user_id,
            source_id=f"{row.service_id}:{row.fired_at:%Y%m%d%H%M%S}",
            subject=" ".join(each for each in (value, number) if each),
            path=f"/subscriptions/{row.service_id}",
        )

    def _words_of(self, row: LineAlertRow) -> str:
        if row.kind == "spend":
            return str(Money(row.value, self._context.settings.whmcs_currency))
        return data_amount(row.value) if row.kind == "left" else ""


async def linked_line(session: AsyncSession, customer: Customer, service_id: int) -> SimLineRow:
    """Return the linked line of a customer's service. Raises NotFound, also for somebody else's."""
    line = await SimLineRow.of_service(session, customer.user_id, service_id)
    if line is None or not line.is_linked:
        raise NotFound("no linked line")
    return line


def _needs_history(alerts: Sequence[LineAlertRow]) -> bool:
    return any(each.kind == "forecast" for each in alerts)


def _judged(alerts: Sequence[LineAlertRow], line: LineRecord, *, at: datetime) -> list[tuple[LineAlertRow, Judgement]]:
    """Return what follows for each alert of a line; a line of which nothing was read has its top-ups only."""
    reading: LineReading | None = reading_of(line.facts, with_forecast=_needs_history(alerts))
    spent = spent_in(line.past, month_of(at))
    found: list[tuple[LineAlertRow, Judgement]] = []
    for row in alerts:
        if row.user_id != line.user_id:
            continue
        if row.kind == "spend":
            found.append((row, judge_spend(row.to_alert(), row.to_state(), spent, at=at)))
        elif reading is not None:
            found.append((row, judge_left(row.to_alert(), row.to_state(), reading, at=at)))
    return found


def _written(row: LineAlertRow, judgement: Judgement) -> dict[str, Any]:
    state = judgement.state
    return {
        "service_id": row.service_id, "kind": row.kind, "seen_at": _iso(state.seen_at),
        "fired_at": _iso(state.fired_at), "fired_month": _iso(state.fired_month),
        "fires": judgement.fires, "value": judgement.value,
    }  # fmt: skip


def _iso(value: date | datetime | None) -> str | None:
    return value.isoformat() if value else None
