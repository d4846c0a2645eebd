"""Connections that send no request, stop in the middle, or send one byte at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from portal_app.infra.settings import Settings
from tests.support.waiting import LONGEST_SECONDS


class Caller:
    """One TCP connection to the web process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def call(cls, settings: Settings, said: bytes = b"") -> Self:
        """Connect and send some bytes, or none."""
        caller = cls(*await asyncio.open_connection("127.0.0.1", settings.portal_port))
        caller._writer.write(said)
        return caller

    def say(self, said: bytes) -> None:
        """Send more bytes."""
        self._writer.write(said)

    async def read_all(self) -> bytes:
        """Return all bytes until the server closes the connection. Raises TimeoutError after a minute."""
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                return await self._reader.read()
        except ConnectionResetError:
            return b""

    def hang_up(self) -> None:
        """Close the connection at once."""
        self._writer.transport.abort()


@asynccontextmanager
async def crowd(settings: Settings, count: int, said: bytes = b"") -> AsyncIterator[list[Caller]]:
    """Hold so many connections open that sent the same bytes."""
    async with AsyncExitStack() as held:
        callers = []
        for _ in range(count):
            callers.append(await Caller.call(settings, said))
            held.callback(callers[-1].hang_up)
        yield callers


def post(path: str, body: bytes, *, length: int) -> bytes:
    """Return the head of a request with a given Content-Length."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    return head.encode() + body
