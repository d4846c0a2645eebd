"""Synchronises the portal's clock with PostgreSQL's, and logs when the host's clock differs."""

import asyncio

import structlog

from portal_app.domain.errors import PortalError
from portal_app.infra.clock import host_ahead_seconds, set_clock
from portal_app.infra.database.database import Database
from portal_app.infra.metrics import set_clock_ahead

_INTERVAL_SECONDS = 30
# Above any network delay, and below the minutes of difference at which vendors reject requests.
_REPORTED_SECONDS = 5.0
_log = structlog.get_logger(__name__)


async def sync_clock(database: Database) -> None:
    """Run for the life of the process: read PostgreSQL's clock every 30 seconds.

    While PostgreSQL is unavailable, the portal's clock continues with the monotonic clock of the host.
    """
    is_reported = False
    while True:
        try:
            await read_clock(database)
        except PortalError as error:
            _log.debug("clock.read_failed", error=type(error).__name__)
        ahead = host_ahead_seconds()
        set_clock_ahead(ahead)
        if (abs(ahead) > _REPORTED_SECONDS) != is_reported:
            is_reported = not is_reported
            log = _log.warning if is_reported else _log.info
            log("clock.off" if is_reported else "clock.in_sync", host_ahead_seconds=round(ahead, 1))
        await asyncio.sleep(_INTERVAL_SECONDS)


async def read_clock(database: Database) -> None:
    """Set the portal's clock by PostgreSQL's, once. Raises DatabaseUnavailable."""
    database_seconds, counter = await database.clock()
    set_clock(database_seconds, counter=counter)
