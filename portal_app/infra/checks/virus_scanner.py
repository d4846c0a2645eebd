"""Check of the virus scanner: clamd answers, finds the harmless test file, and its signatures are new."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.checks.check import Check, Problem, Unfit
from portal_app.infra.clock import now
from portal_app.infra.security.malware_scan import MalwareScanner
from portal_app.infra.settings import Settings

# The file that every scanner finds and that does nothing (eicar.org), in two parts so that none finds this one.
_TEST_FILE = (rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
_OLDEST_DAYS = 7
# ClamAV 1.0.7/27500/Mon Dec  1 08:26:31 2026
_SIGNATURES = re.compile(r"/\d+/\w{3} (\w{3}) +(\d+) [\d:]+ (\d{4})")


def scanner_checks(settings: Settings) -> list[Check]:
    """Return the check of the virus scanner, none where files are not scanned."""
    scanner = MalwareScanner(settings.portal_clamd, seconds=settings.portal_clamd_timeout)

    async def scan() -> str:
        return await _scan(scanner)

    # The first scan waits for clamd to load its signatures.
    return [Check("scanner.clamd", "Virus scanner", scan, seconds=30)] if scanner.is_on else []


def age_problem(version: str, moment: datetime) -> Problem | None:
    """Return what is wrong with the age of the signatures that clamd's version names, if it names any."""
    found = _SIGNATURES.search(version)
    made = datetime.strptime(" ".join(found.groups()), "%b %d %Y").replace(tzinfo=UTC) if found else None
    if made is None or (moment - made).days <= _OLDEST_DAYS:
        return None
    wrong = f"clamd's signatures are of {made:%Y-%m-%d}: newer viruses are not found."
    return Problem(wrong, "See why freshclam does not update them.", "PORTAL_CLAMD", is_warning=True)


async def _scan(scanner: MalwareScanner) -> str:
    try:
        found, version = await scanner.scan(_test_file()), await scanner.version()
    except (ExternalUnavailable, OSError, EOFError, ValueError) as error:
        wrong = f"The virus scanner does not answer ({type(error).__name__}): files of customers wait."
        do = "Start clamd, or correct PORTAL_CLAMD: host:port (TCPSocket) or the path of its socket (LocalSocket)."
        raise Unfit(Problem(wrong, do, "PORTAL_CLAMD")) from error
    if not found:
        wrong = "clamd calls the EICAR test file clean: it finds nothing."
        raise Unfit(Problem(wrong, "Let freshclam fetch its signatures, then restart clamd.", "PORTAL_CLAMD"))
    if problem := age_problem(version, now()):
        raise Unfit(problem)
    return version


async def _test_file() -> AsyncIterator[bytes]:
    for part in _TEST_FILE:
        yield part
