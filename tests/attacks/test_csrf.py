"""Another site makes a signed-in browser send something."""

import pytest

from tests.support.clients.api_routes import changing_routes
from tests.support.clients.visitor import Visitor
from tests.support.running.world import BEN, PASSWORD

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:3000.evil.example"},
    {"Origin": "http://localhost"},
    {"Origin": "https://localhost:3000"},
    {"Origin": "", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_no_route_takes_a_form_from_another_site(ben: Visitor, headers: dict[str, str]) -> None:
    for method, path in changing_routes():
        answer = await ben.http.request(method, path, data={"email": BEN}, headers=headers)
        assert (method, path, answer.status_code) == (method, path, 403)
        assert "set-cookie" not in answer.headers
    assert (await ben.get("/api/me")).status_code == 200


async def test_another_site_cannot_sign_a_browser_in(visitor: Visitor) -> None:
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    entries = {"email": BEN, "password": PASSWORD}
    await visitor.http.post("/api/auth/login", data=entries, headers=headers)
    assert not visitor.cookie("access")


async def test_nothing_changes_on_a_get(ben: Visitor) -> None:
    for _, path in changing_routes():
        assert (await ben.get(path)).status_code in (200, 404, 405)
    assert (await ben.get("/api/me")).status_code == 200


async def test_the_session_cookies_are_lax_and_unreadable(ben: Visitor) -> None:
    answer = await ben.call("POST", "/api/auth/refresh")
    for cookie in answer.headers.get_list("set-cookie"):
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Domain" not in cookie
