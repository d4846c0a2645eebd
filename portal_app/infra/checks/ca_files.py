"""Check of the files with CA certificates that the settings name."""

import ssl

from portal_app.infra.checks.check import Check, Problem, Unfit
from portal_app.infra.settings import Settings

_SETTINGS = ("sf_ca_file", "sf_pubsub_ca_file", "freebit_ca_file", "smtp_ca_file")


def ca_checks(settings: Settings) -> list[Check]:
    """Return the check of the CA files, none where the settings name no file."""
    named = {name.upper(): str(getattr(settings, name)) for name in _SETTINGS if getattr(settings, name)}

    async def files() -> str:
        if bad := [_problem_of(setting, file) for setting, file in named.items() if not usable(file)]:
            raise Unfit(*bad)
        return ", ".join(named)

    return [Check("machine.ca", "CA files", files)] if named else []


def usable(file: str) -> str:
    """Return a file with CA certificates, an empty text where it holds none that can be read."""
    try:
        ssl.create_default_context(cafile=file or None)
    except (OSError, ssl.SSLError):
        return ""
    return file


def _problem_of(setting: str, file: str) -> Problem:
    wrong = f"{setting} names no file with certificates that this user can read: {file}."
    return Problem(wrong, "Write the path of a PEM file that the portal's user may read.", setting)
