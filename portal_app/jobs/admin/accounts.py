"""`portal accounts`: closing an account to everybody who signs in with it, and opening it again."""

import asyncio
import sys

from portal_app.domain.errors import PortalError
from portal_app.infra.log.logs import set_up_logs
from portal_app.infra.settings import Settings
from portal_app.infra.start import read_settings_of_command
from portal_app.wiring.portal import build, set_portal


async def run(settings: Settings, action: str, customer_number: str, *, is_sure: bool) -> int:
    """Do one action and return the exit code; without being sure only say how the account stands."""
    portal = set_portal(build(settings, role="worker"))
    closing = portal.identity.account_closing
    try:
        if is_sure:
            await (closing.close(customer_number) if action == "close" else closing.reopen(customer_number))
        stands = "closed" if await closing.is_closed(customer_number) else "open"
        sys.stdout.write(f"{customer_number} is {stands}.{'' if is_sure else ' Add --yes to change that.'}\n")
    except PortalError as error:
        sys.stdout.write(f"Not possible: {error}\n")
        return 1
    finally:
        await portal.close()
    return 0


if __name__ == "__main__":
    settings = read_settings_of_command()
    set_up_logs(process="accounts", log_format=settings.portal_log_format, level="ERROR")
    sys.exit(asyncio.run(run(settings, sys.argv[1], sys.argv[2], is_sure="--yes" in sys.argv[3:])))
