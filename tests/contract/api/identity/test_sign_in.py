"""Signing in, staying signed in, signing out, over forms and JSON."""

from urllib.parse import parse_qs, urlsplit

import pytest

from portal_app.services.identity.sign_in import WRONG_SIGN_IN
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor
from tests.support.running.world import BEN, PASSWORD


async def test_a_form_signs_in_and_leads_to_the_dashboard(visitor: Visitor) -> None:
    answer = await visitor.submit("/api/auth/login", email=BEN, password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 4 and all("HttpOnly; SameSite=Lax" in cookie for cookie in cookies)
    assert (await visitor.get("/api/me")).json()["email"] == BEN


async def test_sign_in_leads_to_the_requested_page(visitor: Visitor) -> None:
    answer = await visitor.submit("/api/auth/login", email=BEN, password=PASSWORD, next="/billing/invoices?page=2")
    assert answer.headers["location"] == "/billing/invoices?page=2"


@pytest.mark.parametrize(
    ("page", "onward"),
    [
        ("/auth/login?next=/billing/invoices/2", "/billing/invoices/2"),
        ("/auth/login/?next=/orders%3Fpage%3D2", "/orders?page=2"),
        ("/ja/auth/login?next=/ja/orders", "/ja/orders"),
        ("/ja/auth/login", "/ja/dashboard"),
        ("/auth/login?next=https://evil.example", "/dashboard"),
        ("/auth/login?next=//evil.example", "/dashboard"),
        ("/auth/login?next=/auth/login", "/dashboard"),
    ],
)
async def test_somebody_who_is_signed_in_goes_on_from_the_sign_in_page(ben: Visitor, page: str, onward: str) -> None:
    answer = await ben.get(page)
    assert (answer.status_code, answer.headers["location"]) == (303, onward)
    ben.set_cookie("access", "")
    renewed = await ben.get(page)
    assert (renewed.status_code, renewed.headers["location"]) == (303, onward) and ben.cookie("access")


async def test_a_form_of_another_site_leads_back_to_the_page_it_was_sent_to(visitor: Visitor, ben: Visitor) -> None:
    headers = {"Origin": "https://billing.example", "Sec-Fetch-Site": "cross-site"}
    for somebody in (visitor, ben):
        answer = await somebody.http.post("/dashboard?paid=1", data={"x": "y"}, headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard?paid=1")
    assert (await visitor.get("/dashboard?paid=1")).headers["location"].startswith("/auth/login?next=%2Fdashboard")
    odd = await visitor.http.post("http://localhost:3000//dashboard", headers=headers)
    assert not odd.headers.get("location", "").startswith("//")


async def test_a_form_sent_before_the_page_loaded_leads_to_the_requested_page(visitor: Visitor) -> None:
    page = "/auth/login?next=%2Fbilling%2Finvoices"
    wrong = await visitor.submit("/api/auth/login", page=page, email=BEN, password="wrong", next="")
    assert parse_qs(urlsplit(wrong.headers["location"]).query)["next"] == ["/billing/invoices"]
    answer = await visitor.submit("/api/auth/login", page=page, email=BEN, password=PASSWORD, next="")
    assert answer.headers["location"] == "/billing/invoices"


@pytest.mark.parametrize("referer", ["http://[", "x" * 4000, "/auth/login?next=%00&next=%ff"])
async def test_a_malformed_next_address_leads_to_the_dashboard(visitor: Visitor, referer: str) -> None:
    headers = {"Origin": visitor.settings.portal_url, "Referer": referer, "Accept": "text/html"}
    entries = {"email": BEN, "password": PASSWORD, "next": ""}
    answer = await visitor.http.post("/api/auth/login", data=entries, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")


async def test_json_signs_in_without_showing_a_token(visitor: Visitor) -> None:
    answer = await visitor.call("POST", "/api/auth/login", {"email": BEN, "password": PASSWORD})
    assert (answer.status_code, answer.json()) == (200, {"next": "/dashboard"})
    assert (await visitor.get("/api/me")).status_code == 200


async def test_a_wrong_password_goes_back_with_the_reason_and_the_address(visitor: Visitor, portal: Portal) -> None:
    answer = await visitor.submit("/api/auth/login", email=BEN, password="wrong", next="/orders")
    target = urlsplit(answer.headers["location"])
    query = parse_qs(target.query)
    assert (answer.status_code, target.path, query["next"]) == (303, "/auth/login", ["/orders"])
    assert await portal.flash_messages.read(query["flash"][0]) == {"form": WRONG_SIGN_IN, "typed:email": BEN}
    assert not visitor.cookie("access")


async def test_a_wrong_password_in_json_is_a_problem(visitor: Visitor) -> None:
    answer = await visitor.call("POST", "/api/auth/login", {"email": BEN, "password": "wrong"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == WRONG_SIGN_IN


async def test_missing_fields_are_named(visitor: Visitor) -> None:
    answer = await visitor.call("POST", "/api/auth/login", {"email": BEN})
    assert (answer.status_code, answer.json()["fields"]) == (422, {"password": "Fill this in."})


async def test_a_japanese_page_leads_to_japanese_pages(visitor: Visitor) -> None:
    answer = await visitor.submit("/api/auth/login", page="/ja/auth/login", email=BEN, password=PASSWORD)
    assert answer.headers["location"] == "/ja/dashboard"
    answer = await visitor.submit("/api/auth/login", email=BEN, password="wrong", next="/ja/orders")
    assert answer.headers["location"].startswith("/ja/auth/login?flash=")


async def test_signing_out_ends_the_session_and_deletes_the_cookies(ben: Visitor, portal: Portal) -> None:
    kept = ben.cookie("access")
    answer = await ben.submit("/api/auth/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/auth/login")
    assert answer.headers["clear-site-data"] == '"cache"'
    assert not ben.cookie("access") and not ben.cookie("refresh")
    ben.set_cookie("access", kept)
    assert (await ben.get("/api/me")).status_code == 401


async def test_signing_out_works_with_a_stale_access_token(ben: Visitor) -> None:
    refresh = ben.cookie("refresh")
    ben.set_cookie("access", "")
    await ben.submit("/api/auth/logout")
    ben.set_cookie("refresh", refresh)
    assert (await ben.call("POST", "/api/auth/refresh")).status_code == 401


async def test_signing_in_again_ends_the_earlier_session(ben: Visitor) -> None:
    kept = ben.cookie("access")
    await ben.sign_in(BEN)
    ben.set_cookie("access", kept)
    assert (await ben.get("/api/me")).status_code == 401


async def test_refresh_gives_new_tokens_of_the_same_session(ben: Visitor, portal: Portal) -> None:
    before = portal.identity.sessions.read_access_token(ben.cookie("access"))
    refresh = ben.cookie("refresh")
    answer = await ben.call("POST", "/api/auth/refresh")
    assert (answer.status_code, answer.json()) == (200, {"expires_in": 600})
    assert portal.identity.sessions.read_access_token(ben.cookie("access")).session_id == before.session_id
    assert ben.cookie("refresh") != refresh


async def test_refresh_without_a_cookie_is_refused(visitor: Visitor) -> None:
    assert (await visitor.call("POST", "/api/auth/refresh")).status_code == 401


async def test_a_form_with_a_stale_access_token_is_renewed_on_the_way(ben: Visitor) -> None:
    ben.set_cookie("access", "")
    answer = await ben.submit("/api/payment-methods/sso-link")
    assert answer.status_code == 303
    assert ben.cookie("access")
