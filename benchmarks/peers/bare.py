"""A Starlette route with a constant response: the upper limit for a Python route on this machine."""

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def app() -> Starlette:
    """Return the app; its response is the file named in `PEER_ANSWER`."""
    body = Path(os.environ["PEER_ANSWER"]).read_bytes()

    async def answer(_: Request) -> Response:
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/api/invoices", answer)])
