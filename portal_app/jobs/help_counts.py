"""`portal help-counts`: how often articles answered a question, and words that found nothing."""

import asyncio
import sys

from portal_app.domain.errors import PortalError
from portal_app.infra.log.logs import set_up_logs
from portal_app.infra.settings import Settings
from portal_app.infra.start import read_settings_of_command
from portal_app.wiring.portal import build, set_portal


async def run(settings: Settings, days: int) -> int:
    """Write the counts of the last days and return the exit code."""
    portal = set_portal(build(settings, role="worker"))
    try:
        for kind, word, count in await portal.help.help.counts(days=days):
            sys.stdout.write(f"{kind:<10}  {count:>6}  {word}\n")
    except PortalError as error:
        sys.stdout.write(f"Not possible: {error}\n")
        return 1
    finally:
        await portal.close()
    return 0


if __name__ == "__main__":
    settings = read_settings_of_command()
    set_up_logs(process="help-counts", log_format=settings.portal_log_format, level="ERROR")
    sys.exit(asyncio.run(run(settings, int(sys.argv[1]))))
