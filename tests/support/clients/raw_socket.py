"""The event socket as an attacker drives it: any text as an event, with or without a cookie, from any address."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from portal_app.infra.settings import Settings
from tests.support.waiting import LONGEST_SECONDS

_NAMESPACE = "/_event"
_EVENT = f"42{_NAMESPACE},"


class RawSocket:
    """One open socket. `received` holds the events of the server as text."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.received: list[str] = []
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def send(self, handler: Any, payload: Any = None, *, path: str = "/dashboard") -> None:
        """Call a handler as the page at a path would."""
        address = urlsplit(path)
        place = {"pathname": address.path, "query": dict(parse_qsl(address.query)), "asPath": path}
        event = {"name": handler, "payload": {} if payload is None else payload, "router_data": place}
        await self.send_text(json.dumps(["event", event]))

    async def send_text(self, text: str) -> None:
        """Send an event unchanged."""
        await self._connection.send(_EVENT + text)

    async def wait_for_words(self, *words: str) -> str:
        """Wait until one message names all the words, and return it."""

        def found() -> str:
            return next((message for message in self.received if all(word in message for word in words)), "")

        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: bool(found())), LONGEST_SECONDS)
        return found()

    async def wait_for_messages(self, count: int, *, seconds: float) -> None:
        """Wait for so many messages. Raises TimeoutError."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: len(self.received) >= count), seconds)

    async def send_packet(self, packet: str | bytes) -> None:
        """Send a packet of the transport unchanged."""
        await self._connection.send(packet)

    async def closed_with(self) -> int:
        """Wait until the server closes the socket, and return its code. Raises TimeoutError."""
        await asyncio.wait_for(self._connection.wait_closed(), LONGEST_SECONDS)
        return self._connection.close_code or 0

    async def open(self) -> None:
        """Join the namespace of events. One that is refused may be closed by now: `closed_with` tells the code."""
        with suppress(ConnectionClosed):
            await self._connection.send(f"40{_NAMESPACE},")

    async def close(self) -> None:
        """Hang up."""
        await self._connection.close()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        try:
            async for raw in self._connection:
                message = str(raw)
                if message == "2":
                    await self._connection.send("3")
                if message.startswith(_EVENT):
                    async with self._news:
                        self.received.append(message)
                        self._news.notify_all()
        except ConnectionClosed:
            return


@asynccontextmanager
async def raw_socket(
    settings: Settings, *, cookies: str = "", address: str = "", token: str = "", **others: str
) -> AsyncIterator[RawSocket]:
    """Open a socket, with a fresh tab's token unless one is given, and other headers. Raises InvalidStatus."""
    query = f"EIO=4&transport=websocket&token={token or uuid.uuid4()}"
    url = f"ws://127.0.0.1:{settings.portal_port}{_NAMESPACE}/?{query}"
    headers = {"Origin": settings.portal_url, **others}
    headers |= {"Cookie": cookies} if cookies else {}
    headers |= {"X-Forwarded-For": address} if address else {}
    async with connect(url, additional_headers=headers, proxy=None, max_size=None, close_timeout=0.5) as connection:
        socket = RawSocket(connection)
        await socket.open()
        try:
            yield socket
        finally:
            await socket.close()
