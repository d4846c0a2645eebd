"""What is refused because PORTAL_URL or PORTAL_TRUSTED_PROXIES is wrong says so in the log."""

from typing import Any

import httpx
import pytest
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from portal_app.api.http import request_context
from portal_app.api.http.request_context import RequestContextMiddleware, address_of
from portal_app.api.http.security_headers import SecurityHeaders
from portal_app.api.http.session_middleware import SessionMiddleware
from portal_app.infra.settings import Settings

OURS, OTHER = "https://portal.example.jp", "https://www.example.jp"
SETTINGS = Settings(portal_env="development", portal_url=OURS)


async def never(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("what is refused must not get here")


def edge() -> Any:
    """Return the layers that refuse, in their order."""
    sessions = SessionMiddleware(never, SETTINGS, lambda path: True)
    return SecurityHeaders(RequestContextMiddleware(sessions, SETTINGS), SETTINGS)


@pytest.mark.parametrize(
    ("accept", "kind"), [("text/html,*/*", "text/html"), ("application/json", "application/problem+json")]
)
async def test_a_form_from_another_address_is_refused_with_a_page_for_a_person(accept: str, kind: str) -> None:
    headers = {"origin": OTHER, "accept": accept, "referer": f"{OTHER}/ja/auth/login"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(edge()), base_url=OURS) as browser:
        with capture_logs() as logs:
            answers = [await browser.post("/api/auth/login", headers=headers) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {403}
    assert answers[0].headers["content-type"].startswith(kind)
    if kind == "text/html":
        assert f'href="{OURS}/"' in answers[0].text and '<html lang="ja">' in answers[0].text
        assert "style-src" in answers[0].headers["content-security-policy"]
    lines = [line for line in logs if line["event"] == "requests.refused_origin"]
    # Both cases share the limit of this process.
    assert (lines or kind != "text/html") and len(lines) < 10
    assert all((line["origin"], line["portal_url"]) == (OTHER, OURS) for line in lines)


async def test_a_socket_from_another_address_is_refused_with_the_reason_in_the_log() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/_event", "query_string": b"", "headers": [(b"origin", OTHER.encode())]}
    with capture_logs() as logs:
        await edge()(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 4403}]
    (line,) = logs
    assert (line["event"], line["origin"], line["portal_url"]) == ("sockets.refused_origin", OTHER, OURS)


@pytest.mark.parametrize(("proxies", "address", "warnings"), [(0, "127.0.0.1", 1), (1, "203.0.113.9", 0)])
def test_a_proxy_that_is_not_trusted_is_told_once(proxies: int, address: str, warnings: int) -> None:
    # Once in a process: another test may have had a proxy before.
    request_context._warn_of_proxy.cache_clear()
    own = SETTINGS.model_copy(update={"portal_trusted_proxies": proxies})
    headers = [(b"x-forwarded-for", b"203.0.113.9")]
    connection = HTTPConnection({"type": "http", "client": ("127.0.0.1", 1), "headers": headers})
    with capture_logs() as logs:
        assert [address_of(connection, own) for _ in range(3)] == [address] * 3
    assert [line["event"] for line in logs] == ["proxy.not_trusted"] * warnings
