"""Malformed answers: web pages, halves, silence and cut connections, for the HTTP side of any vendor."""

from typing import Any

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.faults import VendorBroken
from sandbox.streamed import Streamed

_PAGE = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>Please sign in to this network</h1></body>"


class CuttableProtocol(H11Protocol):
    """A server protocol that lets an answer cut its connection: requests find the transport in their state."""

    def connection_made(self, transport: Any) -> None:
        """Remember the transport for the requests to come."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Silence(Response):
    """An answer that never comes; it ends when the caller hangs up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the caller to leave."""
        while (await receive())["type"] != "http.disconnect":
            pass


class LostAnswer(Response):
    """An answer that is promised and never comes: the server cuts the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send only the head of an answer."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": True})


class Reset(Response):
    """An answer that is a reset of the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut the connection, then wait until the server has noticed."""
        scope["state"]["transport"].abort()
        while (await receive())["type"] != "http.disconnect":
            pass


class Half(Response):
    """The first half of another answer, whose headers promise all of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the headers and half of the body, upon which the server cuts the connection."""
        body = bytes(self.body)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


def broken_answer(broken: VendorBroken) -> Response:
    """Return the answer for a breakage."""
    if broken.kind == "silence":
        return Silence()
    return Reset() if broken.kind == "refused" else HTMLResponse(_PAGE)


def half_of(answer: Response) -> Response:
    """Return an answer that breaks off in the middle of this one; an empty one is reset instead."""
    if isinstance(answer, Streamed):
        return answer.half()
    if not answer.body:
        return Reset()
    half = Half(answer.body, answer.status_code)
    half.raw_headers = answer.raw_headers
    return half
