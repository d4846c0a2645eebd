"""Starlette routes with nothing around them: the upper limit for Python on this machine."""

import hashlib
import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.peers.storing import store


def app() -> Starlette:
    """Return the app: one response is the file named in `PEER_ANSWER`, another the hash of what was sent."""
    body = Path(os.environ["PEER_ANSWER"]).read_bytes()

    async def answer(_: Request) -> Response:
        return Response(body, media_type="application/json")

    async def sink(request: Request) -> Response:
        sha256 = hashlib.sha256()
        async for part in request.stream():
            sha256.update(part)
        return Response(sha256.hexdigest())

    routes = [Route("/api/invoices", answer), Route("/sink", sink, methods=["PATCH"])]
    return Starlette(routes=[*routes, Route("/store", store, methods=["PATCH"])])
