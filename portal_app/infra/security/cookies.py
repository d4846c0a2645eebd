"""Names of the portal's cookies, and a parser for the Cookie header."""

import re
from collections.abc import Iterator

from portal_app.infra.settings import Settings

KINDS = ("access", "refresh", "signup", "second", "device", "reset", "unlock", "known", "contact")
# RFC 6265 4.1.1 without quoted values: the portal sets none, and unquoting takes quadratic time in some Pythons.
_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*")


def cookie_name(settings: Settings, kind: str) -> str:
    """Return the name of a cookie of one of the KINDS.

    With https it has the prefix __Host-; on loopback it contains the port, because cookies ignore ports.
    """
    return f"__Host-portal-{kind}" if settings.is_secure else f"portal-{kind}-{settings.portal_port}"


def cookie_names(settings: Settings) -> frozenset[str]:
    """Return the names of all cookies of the portal."""
    return frozenset(cookie_name(settings, kind) for kind in KINDS)


def read_cookie(header: str, name: str) -> str:
    """Return a cookie of a Cookie header, or an empty text; the last one of several with the same name wins."""
    return dict(_pairs(header)).get(name, "")


def keep_cookies(header: str, names: frozenset[str]) -> str:
    """Return the Cookie header reduced to the named cookies with valid values."""
    return "; ".join(f"{name}={value}" for name, value in _pairs(header) if name in names)


def _pairs(header: str) -> Iterator[tuple[str, str]]:
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if equals and _VALUE.fullmatch(value):
            yield name, value
