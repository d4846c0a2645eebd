"""A small load generator: each connection sends the next request as soon as it has a response."""

import asyncio
import time
from collections import Counter
from urllib.parse import urlsplit

import uvloop

_END = b"\r\n\r\n"


class Asker(asyncio.Protocol):
    """One connection: sends the same request until closed and counts responses by status."""

    def __init__(self, request: bytes) -> None:
        self.answers: Counter[str] = Counter()
        self.is_over = False
        self._request = request
        self._buffer = b""
        self._wanted = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Send the first request."""
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Receive a part of a response; a complete one is counted and the next request is sent."""
        self._buffer += data
        if not self._wanted:
            end = self._buffer.find(_END)
            if end < 0:
                return
            self._wanted = end + len(_END) + _length(self._buffer[:end])
        if len(self._buffer) >= self._wanted:
            self._count()

    def connection_lost(self, error: Exception | None) -> None:
        """Count a connection that the server closed."""
        if not self.is_over:
            self.answers["connection lost"] += 1

    def close(self) -> None:
        """Close the connection."""
        self.is_over = True
        if self._transport is not None:
            self._transport.abort()

    def _count(self) -> None:
        head = self._buffer.partition(_END)[0]
        self.answers[head[9:12].decode()] += 1
        self._buffer, self._wanted = b"", 0
        if self._transport is not None and not self.is_over:
            self._transport.write(self._request)


def answers_per_second(
    url: str, *, cookies: str = "", connections: int = 8, seconds: float = 5
) -> tuple[float, Counter[str]]:
    """Send requests for some seconds; return the responses per second, and their number by status."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_ask(url, cookies, connections, seconds))


async def _ask(url: str, cookies: str, connections: int, seconds: float) -> tuple[float, Counter[str]]:
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", "Accept: application/json"]
    request = "\r\n".join([*lines, *([f"Cookie: {cookies}"] if cookies else [])]).encode() + _END
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    askers = [
        (await loop.create_connection(lambda: Asker(request), parts.hostname, parts.port))[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds)
    took = time.perf_counter() - began
    for asker in askers:
        asker.close()
    answers = sum((asker.answers for asker in askers), Counter())
    return answers.total() / took, answers


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("an answer without its length")
