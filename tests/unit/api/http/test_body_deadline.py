"""A body that stops arriving ends its request."""

import asyncio
from collections.abc import Iterable

import orjson
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app.api.http.body_deadline import SLOWEST_BYTES, BodyDeadline

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}


async def reads(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def answers_whatever_happens(scope: Scope, receive: Receive, send: Send) -> None:
    try:
        await Request(scope, receive).body()
    except ClientDisconnect:
        await Response(status_code=400)(scope, receive, send)


async def begins_first(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await Request(scope, receive).body()


def chunks(*sizes: int, more: bool = True) -> list[Message]:
    return [{"type": "http.request", "body": b"x" * size, "more_body": True} for size in sizes[:-1]] + [
        {"type": "http.request", "body": b"x" * sizes[-1], "more_body": more}
    ]


async def served(app: ASGIApp, messages: Iterable[Message], *, seconds: float) -> list[Message]:
    """Serve one request whose client sends nothing after these messages."""
    left, sent = list(messages), []

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await BodyDeadline(app, seconds)(SCOPE, receive, send)
    return sent


@pytest.mark.parametrize("app", [reads, answers_whatever_happens])
async def test_a_body_that_stops_is_answered_with_a_problem_and_the_connection_ends(app: ASGIApp) -> None:
    start, body = await served(app, chunks(1), seconds=0.01)
    headers = dict(start["headers"])
    assert start["status"] == 408
    assert headers[b"connection"] == b"close"
    assert headers[b"content-type"] == b"application/problem+json"
    assert orjson.loads(body["body"])["code"] == "request_timeout"


async def test_a_body_that_never_begins_is_late_too() -> None:
    assert (await served(reads, [], seconds=0.01))[0]["status"] == 408


async def test_each_received_chunk_extends_the_deadline() -> None:
    # The chunks together take longer than the deadline of a body without bytes.
    left = chunks(*[SLOWEST_BYTES] * 5, more=False)
    sent: list[Message] = []

    async def receive() -> Message:
        if len(left) < 5:
            await asyncio.sleep(0.1)
        return left.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await BodyDeadline(reads, 0.05)(SCOPE, receive, send)
    assert sent[1]["body"] == str(5 * SLOWEST_BYTES).encode()


async def test_a_started_response_is_not_started_again() -> None:
    sent = await served(begins_first, chunks(1), seconds=0.01)
    assert [message["type"] for message in sent] == ["http.response.start"]


async def test_the_wait_for_a_caller_to_hang_up_has_no_deadline() -> None:
    hung_up = asyncio.Event()

    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        hung_up.set()
        assert (await receive())["type"] == "http.disconnect"
        await PlainTextResponse("served")(scope, receive, send)

    left = chunks(1, more=False)
    sent: list[Message] = []

    async def receive() -> Message:
        if left:
            return left.pop(0)
        await hung_up.wait()
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await BodyDeadline(waits, 0.01)(SCOPE, receive, send)
    assert sent[1]["body"] == b"served"


async def test_a_caller_who_hangs_up_is_no_error() -> None:
    assert await served(reads, [*chunks(1), {"type": "http.disconnect"}], seconds=5) == []
