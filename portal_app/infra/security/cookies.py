"""The portal's cookies: their names, and reading them from a raw Cookie header."""

import re
from collections.abc import Iterator

from portal_app.infra.settings import Settings

KINDS = ("access", "refresh", "signup", "second", "device", "reset", "unlock")
# RFC 6265 4.1.1 without quotes: none of our values needs them, and unquoting is quadratic in some Pythons.
_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*")


def cookie_name(settings: Settings, kind: str) -> str:
    """Return the name of a cookie of one of the KINDS.

    With https it carries __Host-; on loopback it carries the port, because cookies ignore ports.
    """
    return f"__Host-portal-{kind}" if settings.is_secure else f"portal-{kind}-{settings.portal_port}"


def cookie_names(settings: Settings) -> frozenset[str]:
    """Return the names of all cookies of this portal."""
    return frozenset(cookie_name(settings, kind) for kind in KINDS)


def read_cookie(header: str, name: str) -> str:
    """Return one cookie of a Cookie header, or an empty text; of several with the same name the last counts."""
    return dict(_pairs(header)).get(name, "")


def keep_cookies(header: str, names: frozenset[str]) -> str:
    """Return a Cookie header with only the named cookies whose values are plain."""
    return "; ".join(f"{name}={value}" for name, value in _pairs(header) if name in names)


def _pairs(header: str) -> Iterator[tuple[str, str]]:
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if equals and _VALUE.fullmatch(value):
            yield name, value
