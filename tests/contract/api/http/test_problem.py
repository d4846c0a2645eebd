"""Problem responses of the API, and its OpenAPI description."""

import httpx
import pytest
import structlog
from fastapi import FastAPI

from portal_app.api.http.access_log import ErrorMiddleware
from portal_app.api.http.problem import answer_errors
from portal_app.domain.errors import ExternalUnavailable, RateLimited
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import BEN, PASSWORD, world

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_an_unknown_address_is_a_problem_not_a_page(visitor: Visitor) -> None:
    for path in ("/api/nothing/here%0a", "/api/nothing/here"):
        answer = await visitor.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json() == {
        "type": "urn:portal:problem:not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "We could not find that.",
        "code": "not_found",
    }


async def test_a_wrong_method_names_the_allowed_ones(visitor: Visitor) -> None:
    answer = await visitor.call("DELETE", "/api/me")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PATCH")
    assert (await visitor.call("PUT", "/api/invoices/1")).headers["allow"] == "GET"
    # A method that no route knows, and a fixed word where another route takes an id.
    assert (await visitor.call("TRACE", "/api/me")).headers["allow"] == "GET, PATCH"
    assert (await visitor.call("PATCH", "/api/me/passkeys/options")).headers["allow"] == "POST"


async def test_values_are_not_converted_from_other_types(ben: Visitor) -> None:
    order = {"sku": "VPN-REMOTE-ACCESS-UK-LONDON", "terms_accepted": "yes"}
    assert (await ben.call("POST", "/api/orders", order)).json()["fields"] == {"terms_accepted": "Check this."}
    for page in ("1_0", "+1", "1.0", "%201"):
        assert (await ben.get(f"/api/invoices?page={page}")).status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/api/me/history?before={number}",
        "/api/invoices?page={number}",
        "/api/invoices?limit={number}",
        "/api/invoices?q={number}",
        "/api/invoices/{number}",
        "/api/subscriptions/{number}",
        "/api/subscriptions/{number}/cancellation",
    ],
)
async def test_a_number_beyond_its_column_is_invalid_input(ben: Visitor, path: str) -> None:
    for number in (-(2**63), -1, 0, 2**31 - 1, 2**31, 999_999_999_999, 2**63, 10**40):
        assert (await ben.get(path.format(number=number))).status_code in (200, 404, 422)


async def test_a_body_that_is_neither_json_nor_a_form_is_refused(visitor: Visitor) -> None:
    answer = await visitor.http.post("/api/auth/login", content=b"x", headers={"Content-Type": "text/plain"})
    assert answer.status_code in (303, 415) and not visitor.cookie("access")
    json_only = await visitor.http.post("/api/auth/login", content=b"{", headers={"Content-Type": "application/json"})
    assert (json_only.status_code, json_only.json()["code"]) == (422, "invalid_input")


async def test_an_oversized_body_is_refused_without_being_read(visitor: Visitor) -> None:
    content = b'{"email": "' + b"a" * 70_000 + b'"}'
    answer = await visitor.http.post("/api/auth/login", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize("body", [b"[" * 5000, b"null", b'"x"', b"\xff\xfe", b'{"email": {"a": 1}, "password": []}'])
async def test_malformed_json_is_invalid_input(visitor: Visitor, body: bytes) -> None:
    answer = await visitor.http.post("/api/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


async def test_malformed_forms_are_invalid_input(visitor: Visitor) -> None:
    for body in (b"email=%00%ff&password=%00", b"=&=&=", b"a=1&" * 500, b"email=" + b"x" * 400 + b"&password=y"):
        answer = await visitor.http.post("/api/auth/login", content=body, headers=FORM)
        assert answer.status_code == 303 and not visitor.cookie("access")


async def test_too_many_calls_get_a_retry_after(ben: Visitor, portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(portal_api_limit="2/minute")):
        answers = [await ben.get("/api/me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "rate_limited" and int(answers[2].headers["retry-after"]) > 0


async def test_sign_in_tries_are_limited_per_address(portal: Portal) -> None:
    strict = world().settings_with(portal_sign_in_limit="2/minute")
    async with instead_of(portal, strict):
        mallory, visitor = Visitor(strict, address="198.51.100.7"), Visitor(strict, address="198.51.100.8")
        entries = {"email": BEN, "password": "wrong"}
        statuses = [(await mallory.call("POST", "/api/auth/login", entries)).status_code for _ in range(3)]
        entries["password"] = PASSWORD
        assert (await visitor.call("POST", "/api/auth/login", entries)).status_code == 200
        for each in (mallory, visitor):
            await each.http.aclose()
    assert statuses == [401, 401, 429]


async def test_the_description_is_openapi_3_1_and_the_console_is_off(visitor: Visitor) -> None:
    described = (await visitor.get("/api/openapi.json")).json()
    assert described["openapi"].startswith("3.1") and "/api/orders" in described["paths"]
    assert "application/problem+json" in str(described["paths"]["/api/me"]["get"]["responses"]["4XX"])
    assert (await visitor.get("/docs")).status_code == 404


async def test_an_unexpected_error_shows_no_detail_and_is_logged() -> None:
    api = FastAPI()
    answer_errors(api)
    api.add_middleware(ErrorMiddleware)

    @api.get("/boom")
    async def boom() -> None:
        raise ZeroDivisionError("secret detail")

    @api.get("/away")
    async def away() -> None:
        raise ExternalUnavailable("inner words", vendor="whmcs")

    @api.get("/much")
    async def much() -> None:
        raise RateLimited(7)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://localhost") as http:
        with structlog.testing.capture_logs() as logs:
            failed = await http.get("/boom")
        unavailable, limited = await http.get("/away"), await http.get("/much")
    assert failed.status_code == 500 and "secret" not in failed.text and failed.json()["code"] == "error"
    assert logs[0]["event"] == "request.failed" and logs[0]["exc_info"]
    assert (unavailable.status_code, unavailable.headers["retry-after"]) == (503, "30")
    assert "inner words" not in unavailable.text
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
