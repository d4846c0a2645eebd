"""Cookie filter: passes on only the portal's own cookies, and refuses a Cookie header that is too long.

Everything behind this layer may parse cookies with any library: `http.cookies` of Python before 3.11.10, 3.12.6 and
3.13.0 needs minutes for one quoted value of 380 kB (CVE-2024-7592).
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from portal_app.api.http.problem import HeadersTooLarge, problem
from portal_app.infra.security.cookies import cookie_names, keep_cookies
from portal_app.infra.settings import Settings

# Bytes of all Cookie headers of one request; nginx allows as much for one header line.
LARGEST_COOKIE_HEADER = 8 * 1024
_TOO_LARGE = 4431


class CookieFilter:
    """Rewrite the Cookie header of requests and sockets to the portal's own cookies."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._names = cookie_names(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket; answer 431 (or close with 4431) above the limit."""
        if scope["type"] in ("http", "websocket"):
            brought = [value for name, value in scope["headers"] if name == b"cookie"]
            if sum(map(len, brought)) > LARGEST_COOKIE_HEADER:
                await _refuse(scope, receive, send)
                return
            if brought:
                self._rewrite(scope, b"; ".join(brought))
        await self._app(scope, receive, send)

    def _rewrite(self, scope: Scope, header: bytes) -> None:
        others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        own = keep_cookies(header.decode("latin-1"), self._names)
        scope["headers"] = [*others, (b"cookie", own.encode("latin-1"))] if own else others


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await problem(HeadersTooLarge())(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.close", "code": _TOO_LARGE})
