"""A raw socket of a page: sends an event the way the browser does and waits for the answer."""

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect

_NAMESPACE = "/_event"
_LARGEST_ANSWER = 10_000_000


class EventSocket:
    """One open tab, without a browser."""

    def __init__(self, connection: ClientConnection, path: str) -> None:
        self._connection = connection
        self._path = path

    async def call(self, handler: str) -> str:
        """Run a handler and return the first update it sends, as text."""
        event = {
            "name": handler,
            "payload": {},
            "router_data": {"pathname": self._path, "query": {}, "asPath": self._path},
        }
        await self._connection.send(f"42{_NAMESPACE},{json.dumps(['event', event])}")
        return await self._next(f"42{_NAMESPACE},")

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
async def event_socket(url: str, path: str, *, cookies: str = "") -> AsyncIterator[EventSocket]:
    """Open a tab at a page of a server, with the cookies of a session if any."""
    address = f"{url.replace('http', 'ws', 1)}{_NAMESPACE}/?EIO=4&transport=websocket&token={uuid.uuid4()}"
    headers = {"Origin": url, **({"Cookie": cookies} if cookies else {})}
    async with connect(address, additional_headers=headers, max_size=_LARGEST_ANSWER, proxy=None) as connection:
        socket = EventSocket(connection, path)
        await socket.open()
        yield socket
