"""A websocket client for page events that behaves like the browser."""

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

_NAMESPACE = "/_event"
_LARGEST_ANSWER = 10_000_000


class EventSocket:
    """The connection of one open tab."""

    def __init__(self, connection: ClientConnection, path: str) -> None:
        self._connection = connection
        self._path = path

    async def call(self, handler: str, **arguments: Any) -> str:
        """Send an event and return the first update, as text."""
        await self.send(handler, **arguments)
        return await self.update()

    async def update(self) -> str:
        """Return the next update, as text."""
        return await self._next(f"42{_NAMESPACE},")

    async def send(self, handler: str, **arguments: Any) -> None:
        """Send an event."""
        event = {
            "name": handler,
            "payload": arguments,
            "router_data": {"pathname": self._path, "query": {}, "asPath": self._path},
        }
        await self._connection.send(f"42{_NAMESPACE},{json.dumps(['event', event])}")

    async def open(self) -> None:
        """Join the namespace of events."""
        await self._next("0")
        await self._connection.send(f"40{_NAMESPACE},")
        await self._next(f"40{_NAMESPACE},")

    async def _next(self, beginning: str) -> str:
        while True:
            message = str(await self._connection.recv())
            if message == "2":
                await self._connection.send("3")
            elif message.startswith(beginning):
                return message


@asynccontextmanager
async def event_socket(
    url: str, path: str, *, cookies: str = "", token: str = "", origin: str | None = None, **way: Any
) -> AsyncIterator[EventSocket]:
    """Open a tab of a page, with the cookies of a session if any.

    `token` is the tab's (default: a new one). `origin` is the Origin header (default: the server's; "" sends none).
    `way` is the connection to use if the server is not reached by its URL.
    """
    address = f"{url.replace('http', 'ws', 1)}{_NAMESPACE}/?EIO=4&transport=websocket&token={token or uuid.uuid4()}"
    origin = url if origin is None else origin
    headers = {**({"Origin": origin} if origin else {}), **({"Cookie": cookies} if cookies else {})}
    size = _LARGEST_ANSWER
    async with connect(address, additional_headers=headers, max_size=size, proxy=None, **way) as connection:
        socket = EventSocket(connection, path)
        await socket.open()
        yield socket
