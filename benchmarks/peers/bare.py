"""One Starlette route that answers the same bytes each time: the ceiling of what a Python route can do here."""

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def app() -> Starlette:
    """Return the app; the bytes are those of the file named in `PEER_ANSWER`."""
    body = Path(os.environ["PEER_ANSWER"]).read_bytes()

    async def answer(_: Request) -> Response:
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/api/invoices", answer)])
