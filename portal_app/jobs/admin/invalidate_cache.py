"""Forget what is cached, on an operator's word."""

import asyncio
import sys

from portal_app.infra.log.logs import set_up_logs
from portal_app.infra.settings import Settings
from portal_app.infra.start import read_settings_of_command
from portal_app.wiring.portal import build


async def invalidate(settings: Settings, what: str) -> None:
    """Forget a part of the cache everywhere. Raises ValueError for a part that does not exist."""
    if what != "catalog":
        raise ValueError(f"nothing is cached under {what!r}")
    portal = build(settings, role="worker")
    try:
        await portal.catalog.invalidate()
    finally:
        await portal.close()


if __name__ == "__main__":
    settings = read_settings_of_command()
    set_up_logs(process="cache", log_format=settings.portal_log_format, level=settings.portal_log_level)
    asyncio.run(invalidate(settings, sys.argv[1]))
