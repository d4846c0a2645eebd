"""The worker: runs durable workflows and, as the one leader, the schedule."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor

import structlog
from dbos import DBOS
from dbos import error as durable_errors

import portal_app.workflows.cancellations
import portal_app.workflows.email
import portal_app.workflows.help
import portal_app.workflows.inbound_events
import portal_app.workflows.kyc
import portal_app.workflows.orders
import portal_app.workflows.profile
import portal_app.workflows.scheduled
import portal_app.workflows.sign_up
import portal_app.workflows.sim_changes.line_orders
import portal_app.workflows.sim_lines
import portal_app.workflows.support
import portal_app.workflows.whmcs_migration
from portal_app.infra.database.clock_sync import sync_clock
from portal_app.infra.database.durable import QUEUE, dbos_config
from portal_app.infra.interpreter import report_flaws
from portal_app.infra.metrics_server import Metrics
from portal_app.infra.production import Finding
from portal_app.infra.settings import Settings
from portal_app.infra.start import read_settings, refuse_to_start
from portal_app.jobs.backlog import watch_backlog
from portal_app.jobs.leader import lead, until_stopped
from portal_app.jobs.preflight import refuse_if_useless, start_checks
from portal_app.jobs.schedule import run_schedule
from portal_app.jobs.worker_slots import Slot
from portal_app.wiring.portal import Portal, build, set_portal

WORKFLOWS = (
    portal_app.workflows.cancellations,
    portal_app.workflows.inbound_events,
    portal_app.workflows.kyc,
    portal_app.workflows.email,
    portal_app.workflows.help,
    portal_app.workflows.whmcs_migration,
    portal_app.workflows.sim_changes.line_orders,
    portal_app.workflows.orders,
    portal_app.workflows.profile,
    portal_app.workflows.sign_up,
    portal_app.workflows.support,
    portal_app.workflows.scheduled,
)
_log = structlog.get_logger(__name__)


async def work(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then finish the running steps within the drain time."""
    portal = set_portal(build(settings, role="worker"))
    slot = Slot(settings)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    DBOS(config=dbos_config(settings, executor=slot.executor))
    # Launched from this loop, so that workflows run on it: the vendors' connections belong to one loop.
    try:
        DBOS.launch()
    except durable_errors.DBOSInitializationError as error:
        # Its tables are missing or older than this version of the library needs.
        _log.debug("worker.durable_tables", error=str(error)[:300])
        refuse_to_start(Finding("DATABASE_WORKER_URL", "must lead to a database that is migrated: run portal migrate"))
    await DBOS.register_queue_async(QUEUE, polling_interval_sec=settings.portal_poll_seconds)
    # More often than the server ends a lock's connection that is not used.
    slot.watch(min(max(0.5, settings.portal_poll_seconds), settings.database_answer_seconds / 4))
    metrics = Metrics(settings, "worker").start()
    clock = asyncio.create_task(sync_clock(portal.database))
    schedule = asyncio.create_task(lead(settings, "timetable", lambda: _lead(portal)))
    _log.info("worker.ready", slot=slot.executor)
    await until_stopped(stop, schedule)
    _log.info("worker.stopping")
    schedule.cancel()
    clock.cancel()
    await asyncio.gather(schedule, clock, return_exceptions=True)
    # What is parked or waiting goes on elsewhere: steps that run now get a short while, not the whole drain.
    await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=min(5, settings.portal_drain_seconds))
    # The loop's own threads went with DBOS; closing what is left needs some.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    slot.release()
    await portal.close()
    metrics.stop()


async def _lead(portal: Portal) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(run_schedule(portal))
        group.create_task(watch_backlog(portal))


if __name__ == "__main__":
    settings = read_settings("worker")
    report_flaws()
    refuse_if_useless(start_checks(settings, "worker"))
    asyncio.run(work(settings))
