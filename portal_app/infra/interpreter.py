"""Known flaws of the running Python, told in the log at the start of every process."""

import http.cookies
import platform

import structlog

_log = structlog.get_logger(__name__)


def known_flaws() -> list[str]:
    """Return the CVE numbers of flaws that this interpreter has and a later patch level mends.

    Asked of the code and not of the version number: distributions mend flaws without raising it.
    """
    flaws = {"CVE-2024-7592": not hasattr(http.cookies, "_unquote_sub")}
    return [number for number, is_there in flaws.items() if is_there]


def report_flaws() -> None:
    """Log the flaws of this interpreter, if it has any. The portal stands without their mends, others may not."""
    if flaws := known_flaws():
        _log.error("interpreter.outdated", version=platform.python_version(), flaws=flaws)
