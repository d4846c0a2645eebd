"""A small HTTP request of our own, to the portal itself: what it answered, and the certificate that it showed."""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_MOST = 64 * 1024
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer, its first bytes, and the certificate of the connection, empty without TLS."""

    status: int
    body: bytes
    certificate: Mapping[str, Any]


async def get(url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
    """Send GET and return the answer. Raises OSError (ssl.SSLError and its like are some) where there is none."""
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    context = ssl.create_default_context() if is_tls else None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or (443 if is_tls else 80), ssl=context)
    try:
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        lines = {"Host": parts.netloc, "User-Agent": "portal-doctor", **(headers or {})}
        lines.setdefault("Connection", "close")
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"GET {target} HTTP/1.1\r\n{head}\r\n".encode())
        await writer.drain()
        certificate = writer.get_extra_info("peercert") or {}
        return await _answer(reader, certificate)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader, certificate: Mapping[str, Any]) -> Answer:
    try:
        head = await reader.readuntil(_END_OF_HEAD)
        status = int(head.split(maxsplit=2)[1])
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError) as error:
        raise ConnectionResetError("no HTTP answer") from error
    # A connection that was upgraded has no end.
    body = b"" if status == 101 else await reader.read(_MOST)
    return Answer(status, body, certificate)
