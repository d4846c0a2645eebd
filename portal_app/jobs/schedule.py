"""The schedule: everything that happens by the clock, in one table, by the portal's clock.

What is due is only enqueued, under an id made of its name and time: enqueued twice, it runs once. Where the clock was
set back, a minute comes again, and its work is due again.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import sqlalchemy as sa
import structlog
from apscheduler.triggers.cron import CronTrigger

from portal_app.domain.errors import PortalError
from portal_app.infra.clock import now
from portal_app.language.format import JAPAN
from portal_app.wiring.portal import Portal


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """One line of the schedule: a workflow's name and when (crontab with seconds as a sixth field, Japan's time)."""

    workflow: str
    when: str
    why: str


SCHEDULE = (
    ScheduledJob("tidy_up", "17 * * * *", "forget dead sign-ups, used tokens and old idempotency keys"),
    ScheduledJob("catch_up_orders", "*/5 * * * *", "find orders whose event was lost and read their review again"),
    ScheduledJob("catch_up_address_checks", "*/5 * * * *", "find address checks whose answer's event was lost"),
    ScheduledJob("reconcile_billing", "*/5 * * * *", "read the oldest saved invoices and services from WHMCS again"),
    ScheduledJob("open_cases", "*/5 * * * *", "open a case for every order that does not move"),
    ScheduledJob("end_cancellations", "*/5 * * * *", "tell customers which of their cancelled services are over"),
    ScheduledJob("remind_of_invoices", "5 9-20 * * *", "announce invoices that are due soon or overdue, each once"),
    ScheduledJob(
        "remind_of_cards", "20 10 * * *", "announce expiring cards of a 28th of all customers, each card once"
    ),
    ScheduledJob("check_invariants", "*/15 * * * *", "count what should never be: metrics and log lines"),
    ScheduledJob("read_watched_cases", "* * * * * */30", "read support cases that customers may have open"),
    ScheduledJob("tidy_files", "*/5 * * * *", "delete files that nobody sent, and copies that were fetched"),
    ScheduledJob("settle_line_changes", "*/5 * * * *", "tell whose change of a SIM line the carrier did not carry out"),
    ScheduledJob("reconcile_lines", "*/10 2-5 * * *", "compare SIM lines with their services, each once a night"),
    ScheduledJob("poll_usage", "*/5 * * * *", "read SIM lines that nobody visits, where FREEBIT_POLL_READS wants it"),
    ScheduledJob("measure_answer_times", "10 3 * * *", "work out how long answers of support usually take"),
    ScheduledJob("reconcile_all", "40 3 * * *", "compare all that changed in four days with Salesforce"),
)

# A new leader looks back this far: its predecessor may have died before it enqueued what was due.
_GRACE = timedelta(minutes=5)
# Time passes in steps of a second; a longer step is a host that slept, or a clock that was moved in development.
_JUMP = timedelta(minutes=10)
# Work of a later minute than the present one: it was enqueued before the clock was set back.
_LATER = sa.text(
    'SELECT max(workflow_uuid COLLATE "C") FROM dbos.workflow_status'
    ' WHERE created_at > :now AND name = :name AND workflow_uuid COLLATE "C" > :id'
)
_log = structlog.get_logger(__name__)


async def run_schedule(portal: Portal) -> None:
    """Enqueue what the schedule says until cancelled. Only the leader does this."""
    seen = now() - _GRACE
    while True:
        at = now()
        try:
            await enqueue_due(portal, after=seen, until=at)
            seen = at
        except PortalError as error:
            _log.info("schedule.postponed", error=type(error).__name__)
        await asyncio.sleep(1)


async def enqueue_due(portal: Portal, *, after: datetime, until: datetime) -> list[str]:
    """Enqueue each workflow of the schedule that came due in a span of time, once; return their names.

    Where the clock jumped, work that waits for a moment looks at the clock again. Raises DatabaseUnavailable.
    """
    due = [(entry.workflow, at) for entry in SCHEDULE if (at := first_due(entry.when, after, until))]
    if abs(until - after) > _JUMP:
        due.append(("clock_moved", until))
    for workflow, at in due:
        async with portal.database.unit_of_work() as session:
            workflow_id = f"{workflow}-{at:%Y-%m-%dT%H:%M}" + (f":{at:%S}" if at.second else "")
            values = {"name": workflow, "id": workflow_id, "now": int(until.timestamp() * 1000)}
            later = await (await session.connection()).scalar(_LATER, values)
            await portal.queue.enqueue(session, workflow, f"{workflow_id}~{later}" if later else workflow_id)
    return [workflow for workflow, _ in due]


def first_due(crontab: str, after: datetime, until: datetime) -> datetime | None:
    """Return the first time, in UTC, at which a crontab in Japan's time is due after one moment and until another."""
    found = _trigger(crontab).get_next_fire_time(None, after + timedelta(microseconds=1))
    return found.astimezone(UTC) if found is not None and found <= until else None


@cache
def _trigger(crontab: str) -> CronTrigger:
    minute, hour, day, month, weekday, *second = crontab.split()
    fields = {"minute": minute, "hour": hour, "day": day, "month": month, "day_of_week": weekday}
    return CronTrigger(**fields, second=second[0] if second else 0, timezone=JAPAN)
