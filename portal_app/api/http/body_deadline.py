"""Body deadline: a request whose body stops or trickles ends, and so does its connection."""

import asyncio
import time
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app.api.http.problem import TooSlow, problem

# The slowest accepted rate, 32 kbit/s; the largest document (5 MB) takes 22 minutes at it.
SLOWEST_BYTES = 4 * 1024


class BodyDeadline:
    """Give every body some seconds and one more for each 4 KiB that came; answer 408 and hang up when they are over.

    Only the wait for the caller counts, not the work between two readings.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; sockets pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send, self._seconds)
        # A caller who disconnected reads no response, and a late one gets the response below.
        with suppress(ClientDisconnect):
            await self._app(scope, body.receive, body.send)
        if body.is_late and not body.has_begun:
            answer = problem(TooSlow())
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)


class _Body:
    """One request's body. To the application, a late caller looks like one who disconnected."""

    def __init__(self, receive: Receive, send: Send, seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._seconds = seconds
        self._is_over = False
        self.is_late = False
        self.has_begun = False

    async def receive(self) -> Message:
        if self._is_over:
            # The body is complete: this waits for the disconnect, which may take as long as the response.
            return await self._receive()
        if self.is_late:
            return {"type": "http.disconnect"}
        began = time.monotonic()
        try:
            async with asyncio.timeout(max(self._seconds, 0)):
                message = await self._receive()
        except TimeoutError:
            self.is_late = True
            return {"type": "http.disconnect"}
        came = len(message.get("body", b""))
        self._seconds += came / SLOWEST_BYTES - (time.monotonic() - began)
        self._is_over = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self.is_late and not self.has_begun:
            # The application's response to a disconnected caller is not meant for a late one.
            return
        self.has_begun = True
        await self._send(message)
