"""Check of Freebit: it gives a key for the portal's credentials."""

from portal_app.domain.errors import PortalError
from portal_app.infra.checks.check import Check, Problem, Unfit
from portal_app.infra.settings import Settings
from portal_app.integrations.checks.reach import unreached
from portal_app.integrations.freebit.client import FreebitClient
from portal_app.integrations.throttling.vendor_call import Misconfigured


def freebit_checks(settings: Settings, client: FreebitClient) -> list[Check]:
    """Return the check of Freebit, none where SIM lines are turned off."""

    async def login() -> str:
        try:
            await client.try_login()
        except Misconfigured as error:
            raise Unfit(_problem_of(error)) from error
        except PortalError as error:
            raise Unfit(unreached("Freebit", error, setting="FREEBIT_URL", ca_setting="FREEBIT_CA_FILE")) from error
        return "gives a key"

    return [Check("freebit.login", "Freebit", login, seconds=30)] if settings.freebit_url else []


def _problem_of(error: Misconfigured) -> Problem:
    if "HTTP" in str(error):
        wrong = f"FREEBIT_URL is not Freebit's API, or this address is not let in: {error}."
        return Problem(
            wrong, "Correct FREEBIT_URL (up to /emptool/api), or let Freebit list this address.", "FREEBIT_URL"
        )
    wrong = "Freebit gives no key for the portal's credentials."
    return Problem(wrong, "Correct FREEBIT_CLIENT_ID and FREEBIT_CLIENT_SECRET.", "FREEBIT_CLIENT_ID")
