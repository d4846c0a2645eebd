"""Websockets in bounds: so many at once per network address, and messages no faster than people click."""

import asyncio
import time
from collections import Counter

import structlog
from limits import parse
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app.api.http.request_parsing import address_of
from portal_app.infra.settings import Settings

# What a page sends when it opens: several events at once are no flood.
_BURST = 60
_TOO_MANY = 4429
_log = structlog.get_logger(__name__)


class WebsocketLimits:
    """Refuse an address that holds too many sockets; read a socket that floods only as fast as its limit.

    Reading slowly fills the sender's own buffers: nothing piles up here, and other sockets are not held up. Counted
    per process: each holds its own sockets.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._open: Counter[str] = Counter()
        limit = parse(settings.portal_event_limit)
        self._per_second = limit.amount / limit.get_expiry()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket; requests pass through."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        address = address_of(HTTPConnection(scope), self._settings)
        if self._open[address] >= self._settings.portal_socket_limit:
            _log.warning("sockets.too_many")
            await receive()
            await send({"type": "websocket.close", "code": _TOO_MANY})
            return
        self._open[address] += 1
        try:
            await self._app(scope, _Paced(receive, self._per_second).receive, send)
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


class _Paced:
    """Hands messages on; one that comes beyond the burst waits for its turn."""

    def __init__(self, receive: Receive, per_second: float) -> None:
        self._receive = receive
        self._per_second = per_second
        self._left = float(_BURST)
        self._at = time.monotonic()

    async def receive(self) -> Message:
        """Return the next message, when its time has come."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        now = time.monotonic()
        self._left = min(_BURST, self._left + (now - self._at) * self._per_second) - 1
        self._at = now
        if self._left < 0:
            await asyncio.sleep(-self._left / self._per_second)
        return message
