"""Headers of answers: what documents and files carry, how long they are kept, and which addresses are closed."""

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from portal_app.api.http.access_log import AccessLog
from portal_app.api.http.security_headers import SecurityHeaders
from portal_app.infra.settings import Settings


async def answer_to(path: str, status: int = 200, kind: str = "text/plain") -> httpx.Response:
    """Return the response to a path whose application answers with this status and type."""

    async def responding(scope: Scope, receive: Receive, send: Send) -> None:
        await Response("served", status_code=status, media_type=kind)(scope, receive, send)

    settings = Settings(portal_env="development")
    transport = httpx.ASGITransport(AccessLog(SecurityHeaders(responding, settings)))
    async with httpx.AsyncClient(transport=transport, base_url=settings.portal_url) as browser:
        return await browser.get(path)


async def caching(path: str, status: int) -> str:
    """Return the Cache-Control header of a response with this status."""
    return (await answer_to(path, status)).headers["cache-control"]


@pytest.mark.parametrize("status", [200, 206, 304])
async def test_a_file_is_kept_for_a_year(status: int) -> None:
    assert await caching("/assets/index-abc.js", status) == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("status", [301, 307, 400, 404, 405, 500, 503])
async def test_an_error_or_redirect_below_assets_is_not_kept(status: int) -> None:
    assert await caching("/assets/index-abc.js", status) == "no-store"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/dashboard", "text/html"),
        ("/404.html", "text/html; charset=utf-8"),
        ("/dashboard/index.html", "text/html"),
        # An unknown file is answered with a page.
        ("/no-such.php", "text/html"),
        # A 304 has no type.
        ("/404.html", ""),
    ],
)
async def test_every_document_says_who_may_frame_and_open_it(path: str, kind: str) -> None:
    headers = (await answer_to(path, 200 if kind else 304, kind)).headers
    assert (headers["x-frame-options"], headers["cross-origin-opener-policy"]) == ("DENY", "same-origin")
    assert "base-uri 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path", ["/api/me", "/assets/index-abc.js", "/favicon.svg", "/calendar/x.ics", "/no/such.html"]
)
async def test_no_answer_names_its_server_or_is_for_other_sites(path: str) -> None:
    headers = (await answer_to(path)).headers
    assert (headers["server"], headers["cross-origin-resource-policy"]) == ("portal", "same-origin")


@pytest.mark.parametrize(
    "path", ["/ping", "/ping/", "/_health", "/_health?x=1", "/_upload", "/_all_routes", "/_event/"]
)
async def test_what_reflex_serves_for_itself_is_closed(path: str) -> None:
    answer = await answer_to(path)
    assert (answer.status_code, answer.text) == (404, "Not found")
