"""Keeps the portal's clock by PostgreSQL's, and tells the operator where a host's own is off."""

import asyncio

import structlog

from portal_app.domain.errors import PortalError
from portal_app.infra.clock import host_is_ahead, set_by
from portal_app.infra.database.database import Database
from portal_app.infra.metrics import set_clock_off

_LOOK_SECONDS = 30
# More than any network makes of it; vendors refuse what is minutes off.
_TOLD_SECONDS = 5.0
_log = structlog.get_logger(__name__)


async def sync_clock(database: Database) -> None:
    """Look at PostgreSQL's clock for ever; once in every process. While it is away the counter goes on by itself."""
    is_told = False
    while True:
        try:
            await read_clock(database)
        except PortalError as error:
            _log.debug("clock.not_seen", error=type(error).__name__)
        off = host_is_ahead()
        set_clock_off(off)
        if (abs(off) > _TOLD_SECONDS) != is_told:
            is_told = not is_told
            tell = _log.warning if is_told else _log.info
            tell("clock.off" if is_told else "clock.right", host_ahead_seconds=round(off, 1))
        await asyncio.sleep(_LOOK_SECONDS)


async def read_clock(database: Database) -> None:
    """Set the portal's clock once. Raises DatabaseUnavailable."""
    shown, at = await database.clock()
    set_by(shown, at=at)
