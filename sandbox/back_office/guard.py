"""Keeps other sites out of the back office: it has no sign-in, so only its own pages may post to it."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_NAMES = ("127.0.0.1", "localhost", "::1")


class Guard:
    """Refuse foreign Host headers (DNS rebinding) and posts that another site started."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._names = {*_NAMES, host}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or answer 403."""
        headers = Headers(scope=scope)
        refused = urlsplit(f"//{headers.get('host', '')}").hostname not in self._names
        if scope["method"] not in ("GET", "HEAD"):
            refused = refused or _is_cross_site(headers)
        answer = PlainTextResponse("Not from here.", 403)
        await (answer if refused else self._app)(scope, receive, send)


def _is_cross_site(headers: Headers) -> bool:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
