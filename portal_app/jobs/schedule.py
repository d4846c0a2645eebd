"""The timetable: everything that happens by the clock, in one table. A tick only enqueues; a double tick runs once."""

import asyncio
from dataclasses import dataclass

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from portal_app.infra.clock import now
from portal_app.wiring.portal import Portal


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """One line of the timetable: a workflow's name and when (crontab, Japan's time)."""

    workflow: str
    when: str
    why: str


TIMETABLE = (
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
    ScheduledJob("reconcile_all", "40 3 * * *", "compare all that changed in four days with Salesforce"),
)


async def run_schedule(portal: Portal) -> None:
    """Run the timetable until cancelled. Only the leader does this."""
    scheduler = AsyncIOScheduler(timezone="Asia/Tokyo")
    for entry in TIMETABLE:
        scheduler.add_job(
            _tick,
            CronTrigger.from_crontab(entry.when, timezone="Asia/Tokyo"),
            args=(portal, entry.workflow),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=300,
        )
    scheduler.start()
    try:
        await asyncio.Event().wait()
    finally:
        scheduler.shutdown(wait=False)


async def _tick(portal: Portal, workflow: str) -> None:
    minute = now().strftime("%Y-%m-%dT%H:%M")
    async with portal.database.unit_of_work() as session:
        await portal.queue.enqueue(session, workflow, f"{workflow}-{minute}")
