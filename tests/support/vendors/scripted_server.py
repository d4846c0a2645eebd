"""A vendor with scripted answers, byte by byte, that records its requests."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Slowly:
    """An answer that comes byte by byte, with a pause before each; without bytes it never comes."""

    raw: bytes = b""
    pause: float = 0.1


Told = bytes | Slowly
Answer = Told | Callable[[dict[str, str]], Told]


@dataclass
class ScriptedServer:
    """Answers are used up in order; the last one is repeated. An empty answer closes the connection."""

    port: int = 0
    answers: list[Answer] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    pause: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def script(self, *answers: Answer) -> None:
        self.answers, self.pause = list(answers), 0.0
        self.requests.clear()
        self.headers.clear()
        self.asked.clear()
        self.bodies.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = dict(line.split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
        headers = {name.lower(): value for name, value in lines.items()}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        self.bodies.append(body)
        self.requests.append(form)
        self.headers.append(headers)
        self.asked.append(head.split("\r\n", 1)[0].rpartition(" ")[0])
        if self.pause:
            await asyncio.sleep(self.pause)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer = answer(form) if callable(answer) else answer
        if isinstance(answer, Slowly):
            return await self._slowly(answer, reader, writer)
        writer.write(answer)
        await writer.drain()
        return bool(answer) and b"Connection: close" not in answer

    async def _slowly(self, answer: Slowly, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        for byte in answer.raw:
            if await hung_up(reader, answer.pause):
                return False
            writer.write(bytes([byte]))
        await hung_up(reader, 30)
        return False


async def hung_up(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Wait for a limited time, and say whether the caller has disconnected."""
    try:
        return not await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return False


def http(body: Any, status: int = 200, **headers: str) -> bytes:
    """Return a whole HTTP answer; a body that is not bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Any\r\nContent-Length: {len(raw)}\r\n{extra}\r\n".encode() + raw


def half(body: bytes) -> bytes:
    """Return an answer that is shorter than its Content-Length."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n" + body


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    """Run one on a free port."""
    server = ScriptedServer(answers=[http({"result": "success"})])
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


async def soon(condition: Callable[[], Awaitable[bool] | bool], seconds: float = 5.0) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    async with asyncio.timeout(seconds):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(0.01)
