"""Limits of websockets: how many per account or network, which headers and messages each may send, and how fast."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from limits import parse
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app.api.http.cookie_filter import LARGEST_COOKIE_HEADER
from portal_app.api.http.request_context import address_of
from portal_app.api.http.websocket_frames import (
    MARK,
    RECEIPT,
    RELOAD,
    Frames,
    Refused,
    UnknownHandler,
    is_update,
    refusal,
)
from portal_app.domain.identity.network import network_of
from portal_app.domain.identity.tabs import TABS_OF_ACCOUNT, TABS_OF_NETWORK
from portal_app.infra.metrics import count_socket
from portal_app.infra.redis.rate_limit import LocalLimits
from portal_app.infra.security.cookies import cookie_name, read_cookie
from portal_app.infra.settings import Settings

# What a page sends when it opens: several events at once are no flood.
_BURST = 60
# A long message counts as several: its first 4 KiB, and each further one.
_ONE_MESSAGE = 4 * 1024
_TOO_MANY = 4429
# A page learns within this time that its event came in: far less than it takes to notice a dead line.
_RECEIPT_SECONDS = 0.1
# Refused sockets that are told why, per owner: a page asks again every two seconds, and a flood needs no answer.
_TOLD = "60/minute"
# Reflex keeps the headers of the handshake in the state of the tab: none but those that are read, none of any length.
_KEPT_HEADERS = {b"cookie": 8192, b"user-agent": 512} | dict.fromkeys(
    (b"host", b"origin", b"upgrade", b"connection", b"accept-language", b"sec-websocket-version"), 256
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Owner:
    """What a socket is counted for, and how many of it may be open and opened."""

    name: str
    most: int
    new: str
    words: str


class WebsocketLimits:
    """Refuse an account or network with too many sockets; read a socket that floods only as fast as its limit.

    A socket with a session counts for its account alone: neighbours behind one address do not take each other's places.
    Reading slowly fills the sender's own buffers: nothing piles up here, and other sockets are not held up. Counted
    per process: each holds its own sockets. `account_of` reads an access token, and returns nothing for an invalid one.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        *,
        has_handler: Callable[[str], bool],
        account_of: Callable[[str], str],
    ) -> None:
        self._app = app
        self._has_handler = has_handler
        self._account_of = account_of
        self._settings = settings
        self._open: Counter[str] = Counter()
        self._new = LocalLimits()
        self._told = LocalLimits()
        limit = parse(settings.portal_event_limit)
        self._per_second = limit.amount / limit.get_expiry()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket; requests pass through."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        address = address_of(HTTPConnection(scope), self._settings)
        owner = self._owner_of(scope, address)
        if self._open[owner.name] >= owner.most or self._new.seconds_left(owner.new, owner.name):
            _log.warning("sockets.too_many")
            await receive()
            is_ours = dict(scope["headers"]).get(b"origin", b"").decode("latin-1") in self._settings.allowed_origins
            await self._refuse(owner, send, is_ours=is_ours)
            return
        self._open[owner.name] += 1
        count_socket(1)
        receipts = _Receipts(send)
        try:
            paced = _Paced(receive, receipts, Frames(self._has_handler), per_second=self._per_second)
            await self._app(_trimmed(scope, address), paced.receive, receipts.send)
        finally:
            receipts.close()
            self._open[owner.name] -= 1
            count_socket(-1)
            if not self._open[owner.name]:
                del self._open[owner.name]

    def _owner_of(self, scope: Scope, address: str) -> _Owner:
        settings = self._settings
        brought = [value for name, value in scope["headers"] if name == b"cookie"]
        header = brought[0].decode("latin-1") if len(brought) == 1 and len(brought[0]) <= LARGEST_COOKIE_HEADER else ""
        token = read_cookie(header, cookie_name(settings, "access"))
        if token and (account := self._account_of(token)):
            most, new = settings.portal_account_socket_limit, settings.portal_account_new_socket_limit
            return _Owner(f"account {account}", most, new, TABS_OF_ACCOUNT)
        network = network_of(address)
        return _Owner(network, settings.portal_socket_limit, settings.portal_new_socket_limit, TABS_OF_NETWORK)

    async def _refuse(self, owner: _Owner, send: Send, *, is_ours: bool) -> None:
        """Close a socket that was not accepted; one of our pages is told why first, as often as pages ask."""
        if is_ours and not self._told.seconds_left(_TOLD, owner.name):
            await send({"type": "websocket.accept"})
            for packet in refusal(owner.words):
                await send({"type": "websocket.send", "text": packet})
        await send({"type": "websocket.close", "code": _TOO_MANY})


class _Paced:
    """Hands checked messages on; one that comes beyond the burst waits for its turn. A refused one ends the socket."""

    def __init__(self, receive: Receive, receipts: "_Receipts", frames: Frames, *, per_second: float) -> None:
        self._receive = receive
        self._receipts = receipts
        self._per_second = per_second
        self._frames = frames
        self._left = float(_BURST)
        self._at = time.monotonic()
        self._closed = 0

    async def receive(self) -> Message:
        """Return the next message, when its time has come."""
        while not self._closed:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            text = message.get("text")
            try:
                checked = self._frames.checked(text)
            except UnknownHandler:
                await self._take_turn(len(text or ""))
                _log.info("sockets.unknown_handler")
                await self._receipts.send({"type": "websocket.send", "text": RELOAD})
                continue
            except Refused as refused:
                _log.warning("sockets.refused", code=refused.code)
                self._closed = refused.code
                await self._receipts.send({"type": "websocket.close", "code": refused.code})
                break
            # A refused message waits for no turn: it ends the socket at once.
            await self._take_turn(len(text or ""))
            if checked is not None:
                if self._frames.is_event(checked):
                    self._receipts.add()
                return {"type": "websocket.receive", "text": checked}
        return {"type": "websocket.disconnect", "code": self._closed}

    async def _take_turn(self, size: int) -> None:
        now = time.monotonic()
        self._left = min(_BURST, self._left + (now - self._at) * self._per_second) - (1 + size // _ONE_MESSAGE)
        self._at = now
        if self._left < 0:
            await asyncio.sleep(-self._left / self._per_second)


class _Receipts:
    """Tells a page how many of its events came in: at the end of the next update, else soon in a packet of its own.

    A packet for each would cost as much as the update itself.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._due = 0
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None

    def add(self) -> None:
        """Note that an event came in."""
        self._due += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_RECEIPT_SECONDS, self._send_soon)

    async def send(self, message: Message) -> None:
        """Send a message of the server; it takes the receipts along, or they go before it where it cannot."""
        if self._due:
            receipts, self._due = self._due, 0
            if is_update(message.get("text")):
                message = {**message, "text": message["text"] + MARK * receipts}
            else:
                await self._send({"type": "websocket.send", "text": RECEIPT * receipts})
        await self._send(message)

    def close(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()

    def _send_soon(self) -> None:
        self._timer = None
        if self._due:
            receipts, self._due = self._due, 0
            self._sending = asyncio.create_task(self._send({"type": "websocket.send", "text": RECEIPT * receipts}))
            # The socket may have closed meanwhile: its owner knows by then.
            self._sending.add_done_callback(lambda task: task.cancelled() or task.exception())


def _trimmed(scope: Scope, address: str) -> Scope:
    """Return the handshake without headers that are not read; the caller's address comes from the connection."""
    headers = [(name, value) for name, value in scope["headers"] if len(value) <= _KEPT_HEADERS.get(name, -1)]
    return {**scope, "headers": headers, "client": (address[:64], 0)}
