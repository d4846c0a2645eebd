"""The session cookies: their names, and reading them from a raw header."""

from http.cookies import CookieError, SimpleCookie

from portal_app.infra.settings import Settings


def cookie_name(settings: Settings, kind: str) -> str:
    """Return the name of a cookie: access, refresh, signup, second (step) or device.

    With https it carries __Host-; on loopback it carries the port, because cookies ignore ports.
    """
    return f"__Host-portal-{kind}" if settings.is_secure else f"portal-{kind}-{settings.portal_port}"


def read_cookie(header: str, name: str) -> str:
    """Return one cookie of a Cookie header, or an empty text; a malformed header holds none."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header)
    except CookieError:
        return ""
    return jar[name].value if name in jar else ""
