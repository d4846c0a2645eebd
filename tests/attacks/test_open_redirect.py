"""A link of ours that leads elsewhere."""

from urllib.parse import parse_qs, quote, urljoin, urlsplit

import httpx
import pytest
from starlette.datastructures import URL
from starlette.responses import RedirectResponse
from starlette.types import Receive, Scope, Send

from portal_app.api.http.security_headers import SecurityHeaders
from portal_app.domain.local_path import local_path
from tests.support.clients.visitor import Visitor
from tests.support.running.world import BEN, PASSWORD, world

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "https://evil.example",
    "https:evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n//evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/a\r\nSet-Cookie: portal=1",
    "/api/auth/logout",
    "/" + "a" * 600,
    "http://localhost:3000@evil.example/",
    "/\x00//evil.example",
]
HARMLESS = ["/..//evil.example", "/%2f%2fevil.example", "/@evil.example", "/orders?next=//evil.example", "/日本"]


@pytest.mark.parametrize("target", ELSEWHERE)
async def test_next_never_leads_away_after_signing_in(visitor: Visitor, target: str) -> None:
    answer = await visitor.submit("/api/auth/login", email=BEN, password=PASSWORD, next=target)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    page = f"/auth/login?next={quote(target, safe='')}"
    answer = await visitor.submit("/api/auth/login", page=page, email=BEN, password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    assert local_path(target, "/safe") == "/safe"


@pytest.mark.parametrize("target", HARMLESS)
async def test_an_odd_path_stays_on_our_own_host(visitor: Visitor, target: str) -> None:
    answer = await visitor.submit("/api/auth/login", email=BEN, password=PASSWORD, next=target)
    landed = urlsplit(urljoin(visitor.settings.portal_url, answer.headers["location"].replace("\\", "/")))
    assert answer.status_code == 303 and landed.netloc == urlsplit(visitor.settings.portal_url).netloc


@pytest.mark.parametrize("target", ELSEWHERE)
async def test_a_refused_sign_in_carries_no_foreign_next(visitor: Visitor, target: str) -> None:
    answer = await visitor.submit("/api/auth/login", email=BEN, password="wrong", next=target)
    assert "next" not in parse_qs(urlsplit(answer.headers["location"]).query)


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/\\evil.example", "@evil.example"])
async def test_the_return_link_of_the_card_page_is_ours(ben: Visitor, back: str) -> None:
    link = (await ben.call("POST", "/api/payment-methods/sso-link", {"back": back})).json()["url"]
    async with httpx.AsyncClient() as browser:
        landed = await browser.get(link)
    wanted = parse_qs(urlsplit(landed.headers["location"]).query)["return"]
    assert wanted == [ben.settings.portal_url + "/billing/payments"]


async def test_protected_pages_redirect_visitors_to_our_own_sign_in(visitor: Visitor) -> None:
    answer = await visitor.http.get("/dashboard//evil.example?x=1", headers={"Host": "evil.example"})
    assert answer.headers["location"] == "/auth/login?next=%2Fdashboard%2F%2Fevil.example%3Fx%3D1"


@pytest.mark.parametrize("path", ["/assets", "/assets/folder", "/static/.."])
async def test_a_redirect_never_leads_to_the_host_that_the_caller_names(path: str) -> None:
    settings = world().settings

    async def redirecting(scope: Scope, receive: Receive, send: Send) -> None:
        # As the static server and Starlette's router do it.
        await RedirectResponse(URL(scope=scope).replace(path=scope["path"] + "/"))(scope, receive, send)

    transport = httpx.ASGITransport(SecurityHeaders(redirecting, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as browser:
        answer = await browser.get(path)
    assert answer.headers["location"].startswith("/") and "evil" not in answer.headers["location"]
    assert "immutable" not in answer.headers["cache-control"]


async def test_a_link_to_whmcs_stays_as_it_is(ben: Visitor) -> None:
    answer = await ben.submit("/api/payment-methods/sso-link", page="/billing/payments")
    assert answer.headers["location"].startswith(ben.settings.whmcs_url)
