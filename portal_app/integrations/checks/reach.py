"""Why a vendor was not reached, in an operator's words."""

import re
from collections.abc import Iterator

from portal_app.infra.checks.check import Problem

_TRUST = re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verify failed", re.IGNORECASE)
_NAME = re.compile(r"Name or service not known|name resolution|getaddrinfo|DNS resolution|No address associated")
_TLS = re.compile(r"WRONG_VERSION_NUMBER|SSL|handshake failed", re.IGNORECASE)
_ADDRESS = re.compile(r"UnsupportedProtocol|InvalidURL|LocalProtocolError")
_NO_CONNECTION = re.compile(r"ConnectError|ConnectTimeout|UNAVAILABLE|NewConnectionError")
_STATUS = re.compile(r"HTTP (\d{3})")


def unreached(vendor: str, error: Exception, *, setting: str, ca_setting: str = "") -> Problem:
    """Return what is wrong, by an error of the client and what caused it."""
    said = " ".join(f"{type(each).__name__}: {each}" for each in _causes(error))
    if _TRUST.search(said):
        wrong = f"This machine does not trust the certificate of {vendor} at {setting}."
        do = f"Name the CA that signed it in {ca_setting}." if ca_setting else "Give that server a public certificate."
        return Problem(wrong, f"{do} Or correct the host in {setting}.", ca_setting or setting)
    if _NAME.search(said):
        wrong = f"The host in {setting} is not known here."
        return Problem(wrong, f"Correct {setting}, or this machine's DNS.", setting)
    if _TLS.search(said):
        return Problem(f"There is no TLS at {setting}.", f"Correct scheme and port in {setting}.", setting)
    if _ADDRESS.search(said):
        return Problem(f"{setting} is not an address.", "Write it in full, with https://.", setting)
    if _NO_CONNECTION.search(said):
        wrong = f"Nobody answers at {setting} ({vendor})."
        return Problem(wrong, f"Open the way through firewalls, or correct {setting}.", setting)
    if found := _STATUS.search(said):
        wrong = f"{vendor} is not well, or {setting} is another address: HTTP {found[1]} ({str(error)[:120]})."
        return Problem(wrong, f"Open {setting} in a browser; correct it, or wait until {vendor} is back.", setting)
    wrong = f"{vendor} does not answer as it should: {str(error)[:150] or type(error).__name__}."
    return Problem(wrong, f"Look whether {vendor} is well, and whether {setting} is right.", setting)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
