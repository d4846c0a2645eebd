"""Forged, altered, foreign and borrowed access tokens."""

import base64
import json
import time
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import world

TYPE = {"typ": "at+jwt"}


def part(content: dict[str, Any]) -> str:
    """Return one part of a token."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says, unchecked."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def ours() -> OctKey:
    """Return the key the portal signs with."""
    return OctKey.import_key(world().settings.jwt_secret.get_secret_value())


async def status_with(ben: Visitor, token: str) -> int:
    """Return what an access token gets, with no refresh token to fall back on."""
    ben.set_cookie("refresh", "")
    ben.set_cookie("access", token)
    return (await ben.get("/api/me")).status_code


async def test_a_token_of_our_own_is_accepted(ben: Visitor) -> None:
    claims = claims_of(ben.cookie("access"))
    assert await status_with(ben, jwt.encode({"alg": "HS256", **TYPE}, claims, ours())) == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
async def test_an_unsigned_token_is_refused(ben: Visitor, algorithm: str) -> None:
    claims = part(claims_of(ben.cookie("access")))
    for signature in ("", "AAAA", ben.cookie("access").split(".")[2]):
        assert await status_with(ben, f"{part({'alg': algorithm, **TYPE})}.{claims}.{signature}") == 401


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_another_algorithm_is_refused_even_with_our_key(ben: Visitor, algorithm: str) -> None:
    token = jwt.encode({"alg": algorithm, **TYPE}, claims_of(ben.cookie("access")), ours(), algorithms=[algorithm])
    assert await status_with(ben, token) == 401


async def test_a_token_signed_by_another_key_is_refused(ben: Visitor) -> None:
    claims = claims_of(ben.cookie("access"))
    foreign = OctKey.import_key("somebody else's secret of at least thirty-two bytes")
    assert await status_with(ben, jwt.encode({"alg": "HS256", **TYPE}, claims, foreign)) == 401
    key = RSAKey.generate_key(2048)
    assert await status_with(ben, jwt.encode({"alg": "RS256", **TYPE}, claims, key, algorithms=["RS256"])) == 401


@pytest.mark.parametrize(
    "header", [{"kid": "../../dev/null"}, {"jwk": {"kty": "oct", "k": "AA"}}, {"jku": "http://e/"}]
)
async def test_a_key_named_by_the_token_is_never_used(ben: Visitor, header: dict[str, Any]) -> None:
    claims = claims_of(ben.cookie("access"))
    empty = base64.urlsafe_b64encode(b"\0").rstrip(b"=").decode()
    assert await status_with(ben, f"{part({'alg': 'HS256', **TYPE, **header})}.{part(claims)}.{empty}") == 401


@pytest.mark.parametrize(
    "change",
    [
        {"exp": int(time.time()) - 1},
        {"exp": None},
        {"nbf": int(time.time()) + 3600},
        {"iss": "another"},
        {"aud": "another"},
        {"aud": None},
        {"sid": str(uuid4())},
        {"sid": "x"},
        {"sub": "1 OR 1=1"},
        {"jti": None},
    ],
)
async def test_a_token_that_says_something_wrong_is_refused(ben: Visitor, change: dict[str, Any]) -> None:
    claims = {name: value for name, value in (claims_of(ben.cookie("access")) | change).items() if value is not None}
    assert await status_with(ben, jwt.encode({"alg": "HS256", **TYPE}, claims, ours())) == 401


@pytest.mark.parametrize("kind", ["JWT", "rt+jwt", ""])
async def test_a_token_of_another_type_is_refused(ben: Visitor, kind: str) -> None:
    claims = claims_of(ben.cookie("access"))
    assert await status_with(ben, jwt.encode({"alg": "HS256", "typ": kind}, claims, ours())) == 401


async def test_an_altered_token_is_refused(ben: Visitor, aiko: Visitor) -> None:
    header, claims, signature = ben.cookie("access").split(".")
    other = claims_of(ben.cookie("access")) | {"sub": claims_of(aiko.cookie("access"))["sub"]}
    assert await status_with(ben, f"{header}.{part(other)}.{signature}") == 401
    assert await status_with(ben, f"{header}.{claims}.{signature[:-2]}") == 401


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "x" * 7000, "%00", "é"])
async def test_a_malformed_token_is_refused(ben: Visitor, token: str) -> None:
    assert (
        await ben.http.get("/api/me", headers={"Cookie": f"portal-access-3000={token}".encode()})
    ).status_code == 401


async def test_a_refresh_token_is_no_access_token_nor_the_other_way_round(ben: Visitor) -> None:
    access, refresh = ben.cookie("access"), ben.cookie("refresh")
    assert await status_with(ben, refresh) == 401
    ben.set_cookie("refresh", access)
    assert (await ben.call("POST", "/api/auth/refresh")).status_code == 401


async def test_a_token_of_another_installation_is_refused(ben: Visitor, portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(jwt_secret=type(world().settings.jwt_secret)("n" * 40))):
        assert (await ben.get("/api/me")).status_code == 401


async def test_signing_in_never_keeps_a_planted_session(visitor: Visitor, aiko: Visitor, portal: Portal) -> None:
    planted = aiko.cookie("access")
    visitor.set_cookie("access", planted)
    await visitor.sign_in("ben@example.jp")
    mine = portal.identity.sessions.read_access_token(visitor.cookie("access"))
    assert mine.session_id != portal.identity.sessions.read_access_token(planted).session_id


async def test_a_token_with_the_session_of_another_user_is_refused(ben: Visitor, aiko: Visitor) -> None:
    claims = claims_of(ben.cookie("access")) | {"sub": claims_of(aiko.cookie("access"))["sub"]}
    ben.set_cookie("access", jwt.encode({"alg": "HS256", **TYPE}, claims, ours()))
    ben.set_cookie("refresh", "")
    for path in ("/api/me", "/api/invoices", "/api/subscriptions"):
        assert (await ben.get(path)).status_code == 401
    assert (await ben.http.get("/dashboard", headers={"Accept": "text/html"})).status_code == 303
