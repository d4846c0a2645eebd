"""How long browsers and proxies keep files of the frontend."""

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from portal_app.api.http.security_headers import SecurityHeaders
from portal_app.infra.settings import Settings


async def caching(path: str, status: int) -> str:
    """Return the Cache-Control header of a response with this status."""

    async def responding(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=status)(scope, receive, send)

    settings = Settings(portal_env="development")
    transport = httpx.ASGITransport(SecurityHeaders(responding, settings))
    async with httpx.AsyncClient(transport=transport, base_url=settings.portal_url) as browser:
        return (await browser.get(path)).headers["cache-control"]


@pytest.mark.parametrize("status", [200, 206, 304])
async def test_a_file_is_kept_for_a_year(status: int) -> None:
    assert await caching("/assets/index-abc.js", status) == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("status", [301, 307, 400, 404, 405, 500, 503])
async def test_an_error_or_redirect_below_assets_is_not_kept(status: int) -> None:
    assert await caching("/assets/index-abc.js", status) == "no-store"
