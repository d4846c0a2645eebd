"""The cookie filter: cookies of other sites and hostile cookies stop at the edge."""

from typing import Any

import pytest

from portal_app.api.http.cookie_filter import LARGEST_COOKIE_HEADER, CookieFilter
from portal_app.infra.security.cookies import cookie_name
from portal_app.infra.settings import Settings
from tests.support.clients.visitor import Visitor

QUOTED = 'a="' + '\\"' * 3_000 + '"'


async def handed_on(settings: Settings, *cookies: str, kind: str = "http") -> list[str] | int:
    """Return the Cookie headers that the application behind the filter sees, or what a refusal said."""
    seen: list[str] = []
    sent: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(value.decode() for name, value in scope["headers"] if name == b"cookie")

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), *((b"cookie", line.encode()) for line in cookies)]
    await CookieFilter(application, settings)({"type": kind, "headers": headers}, receive, send)
    return (sent[0].get("status") or sent[0]["code"]) if sent else seen


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_foreign_and_quoted_cookies_are_dropped(visitor: Visitor, kind: str) -> None:
    settings = visitor.settings
    own = f"{cookie_name(settings, 'access')}=eyJ.x.y"
    assert await handed_on(settings, f"_ga=1; {own}; {QUOTED}", kind=kind) == [own]
    assert await handed_on(settings, QUOTED, "_ga=1", kind=kind) == []
    assert await handed_on(settings, QUOTED, own, kind=kind) == [own]


@pytest.mark.parametrize(("kind", "refusal"), [("http", 431), ("websocket", 4431)])
async def test_a_cookie_header_above_the_limit_is_refused(visitor: Visitor, kind: str, refusal: int) -> None:
    half = "a=" + "x" * (LARGEST_COOKIE_HEADER // 2)
    assert await handed_on(visitor.settings, half, kind=kind) == []
    assert await handed_on(visitor.settings, half, half, kind=kind) == refusal


async def test_a_hostile_cookie_gets_an_answer_and_a_customer_stays_signed_in_beside_one(ben: Visitor) -> None:
    own = "; ".join(f"{name}={value}" for name, value in ben.http.cookies.items())
    ben.http.cookies.clear()
    assert (await ben.http.get("/api/me", headers={"Cookie": QUOTED})).status_code == 401
    assert (await ben.http.get("/api/me", headers={"Cookie": f"{QUOTED}; {own}"})).status_code == 200
    assert (await ben.http.get("/api/me", headers={"Cookie": QUOTED * 60})).status_code == 431
