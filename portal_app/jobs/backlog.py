"""Figures that only the leading worker measures: what waits in the database, and how vendors' breakers stand."""

import asyncio
from datetime import timedelta

import sqlalchemy as sa
import structlog

from portal_app.domain.errors import PortalError
from portal_app.infra.clock import now, unmoved_timestamp
from portal_app.infra.metrics import forget_backlog, set_backlog, set_breaker
from portal_app.wiring.portal import Portal

_EVERY_SECONDS = 60
# Durable work keeps real times, in milliseconds; our own rows those of the portal's clock.
_QUESTIONS = {
    "durable_work": sa.text(
        "SELECT count(*), coalesce(:real - min(created_at) / 1000.0, 0)"
        " FROM dbos.workflow_status WHERE status = 'ENQUEUED'"
    ),
    "inbox": sa.text(
        "SELECT count(*), coalesce(extract(epoch FROM :now - min(received_at)), 0) FROM inbox WHERE handled_at IS NULL"
    ),
    "mirrors": sa.text(
        "SELECT count(*), coalesce(extract(epoch FROM :old - min(read_at)), 0)"
        " FROM mirror_states WHERE kind = 'invoices' AND read_at < :old"
    ),
    "mails": sa.text(
        "SELECT count(*), coalesce(extract(epoch FROM :now - min(created_at)), 0) FROM mails WHERE sent_at IS NULL"
    ),
}
_log = structlog.get_logger(__name__)


async def watch_backlog(portal: Portal) -> None:
    """Measure until cancelled; what was measured is dropped then, because another process leads."""
    try:
        while True:
            try:
                await measure_backlog(portal)
            except PortalError as error:
                _log.debug("backlog.not_measured", error=type(error).__name__)
            await asyncio.sleep(_EVERY_SECONDS)
    finally:
        forget_backlog()


async def measure_backlog(portal: Portal) -> None:
    """Set the figures of everything that waits. Raises DatabaseUnavailable."""
    old = now() - timedelta(seconds=portal.settings.mirror_reconcile_seconds)
    times = {"now": now(), "old": old, "real": unmoved_timestamp()}
    for kind, question in _QUESTIONS.items():
        async with portal.database.unit_of_work() as session:
            items, oldest = (await (await session.connection()).execute(question, times)).one()
        set_backlog(kind, items=items, oldest_seconds=max(0.0, float(oldest)))
    for vendor, state in (await portal.vendors.limiter_states()).items():
        set_breaker(vendor, str(state["breaker"]))
