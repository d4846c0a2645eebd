"""A receiver of the hooks that WHMCS sends."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Receiver:
    """A tiny HTTP server that keeps every post and answers with the next status of `answers`, else 202."""

    def __init__(self) -> None:
        self.deliveries: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self._news = asyncio.Condition()

    async def start(self) -> str:
        """Listen on a free port and return the address to post to."""
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/hook"

    async def wait_for(self, event: str, count: int = 1, **ids: int) -> list[tuple[dict[str, str], bytes]]:
        """Return `count` deliveries of an event with these ids, waiting up to fifteen seconds."""

        def found() -> list[tuple[dict[str, str], bytes]]:
            wanted = [d for d in self.deliveries if d[0]["x-whmcs-event"] == event]
            return [d for d in wanted if ids.items() <= json.loads(d[1])["data"].items()]

        async with asyncio.timeout(15), self._news:
            await self._news.wait_for(lambda: len(found()) >= count)
        return found()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in head)}
        body = await reader.readexactly(int(headers["content-length"]))
        status = self.answers.pop(0) if self.answers else 202
        writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        async with self._news:
            self.deliveries.append((headers, body))
            self._news.notify_all()


@asynccontextmanager
async def listening() -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver()
    receiver.url = await receiver.start()
    yield receiver
    receiver.server.close()
    await receiver.server.wait_closed()


SECRET = b"sandbox-webhook-secret"


def is_signed(headers: dict[str, str], body: bytes) -> bool:
    """Verify a delivery as a receiver has to."""
    message = f"{headers['x-whmcs-timestamp']}.{headers['x-whmcs-delivery']}.".encode() + body
    expected = "v1=" + hmac.new(SECRET, message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, headers["x-whmcs-signature"])
