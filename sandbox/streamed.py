"""A file as an answer: sent part by part, with its length told before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


@dataclass(frozen=True)
class Content:
    """What a file holds."""

    size: int
    parts: Iterator[bytes]


class Streamed(Response):
    """Send a file; a half of it breaks off, upon which the server cuts the connection."""

    def __init__(self, content: Content, headers: Mapping[str, str], *, is_half: bool = False) -> None:
        super().__init__(None, 200, headers, "application/octet-stream")
        self.headers["content-length"] = str(content.size)
        self._content = content
        self._is_half = is_half

    def half(self) -> "Streamed":
        """Return the answer that breaks off in the middle."""
        return Streamed(self._content, self.headers, is_half=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send head and parts."""
        left = self._content.size // 2 if self._is_half else self._content.size
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        for part in self._content.parts:
            await send({"type": "http.response.body", "body": part[:left], "more_body": True})
            left -= len(part)
            if left <= 0:
                break
        if not self._is_half:
            await send({"type": "http.response.body", "body": b""})
