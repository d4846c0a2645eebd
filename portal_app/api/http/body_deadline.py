"""A request's body has to arrive in time: a body that stops, or trickles, ends its request and its connection."""

import asyncio
import time
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app.api.http.problem import TooSlow, problem

# The slowest line that is waited for: 32 kbit/s. The largest document (5 MB) may take 22 minutes over it.
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
        # Of a caller who left nobody reads an answer, and one who is late gets ours.
        with suppress(ClientDisconnect):
            await self._app(scope, body.receive, body.send)
        if body.is_late and not body.has_begun:
            answer = problem(TooSlow())
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)


class _Body:
    """One request's body. The application sees a caller who left in the place of one who is late."""

    def __init__(self, receive: Receive, send: Send, seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._seconds = seconds
        self._is_over = False
        self.is_late = False
        self.has_begun = False

    async def receive(self) -> Message:
        if self._is_over:
            # The body is complete: this is the wait for the caller to hang up, which takes as long as the answer.
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
            # What the application makes of a caller who left is no answer to one who waits for it.
            return
        self.has_begun = True
        await self._send(message)
