"""Keeps the portal's clock by PostgreSQL's, and tells the operator where a host's own clock is off."""

import asyncio

import structlog

from portal_app.domain.errors import PortalError
from portal_app.infra.clock import host_ahead_seconds, set_clock
from portal_app.infra.database.database import Database
from portal_app.infra.metrics import set_clock_ahead

_READ_EVERY_SECONDS = 30
# More than a network's delay explains; vendors refuse what is minutes off.
_WORTH_LOGGING_SECONDS = 5.0
_log = structlog.get_logger(__name__)


async def sync_clock(database: Database) -> None:
    """Read PostgreSQL's clock every half minute; once in every process. During an outage the counter goes on."""
    is_off = False
    while True:
        try:
            await read_clock(database)
        except PortalError as error:
            _log.debug("clock.not_read", error=type(error).__name__)
        ahead = host_ahead_seconds()
        set_clock_ahead(ahead)
        if (abs(ahead) > _WORTH_LOGGING_SECONDS) != is_off:
            is_off = not is_off
            log = _log.warning if is_off else _log.info
            log("clock.off" if is_off else "clock.in_sync", host_ahead_seconds=round(ahead, 1))
        await asyncio.sleep(_READ_EVERY_SECONDS)


async def read_clock(database: Database) -> None:
    """Set the portal's clock once. Raises DatabaseUnavailable."""
    database_seconds, counter = await database.clock()
    set_clock(database_seconds, counter=counter)
