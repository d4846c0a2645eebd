"""Reports known vulnerabilities of the running Python at the start of every process."""

import http.cookies
import platform

import structlog

_log = structlog.get_logger(__name__)


def known_flaws() -> list[str]:
    """Return the CVE numbers of vulnerabilities in this interpreter that a later patch level fixes.

    The code is checked instead of the version number, because distributions apply fixes without changing it.
    """
    flaws = {"CVE-2024-7592": not hasattr(http.cookies, "_unquote_sub")}
    return [number for number, is_there in flaws.items() if is_there]


def report_flaws() -> None:
    """Log an error if the interpreter has known vulnerabilities; the portal itself does not depend on the fixes."""
    if flaws := known_flaws():
        _log.error("interpreter.outdated", version=platform.python_version(), flaws=flaws)
