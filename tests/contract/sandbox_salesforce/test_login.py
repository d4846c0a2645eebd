"""The JWT bearer login and the life of its tokens."""

import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.faults import FaultSettings
from tests.contract.sandbox_salesforce.running import JWT_GRANT, Org


async def log_in(org: Org, base_url: str = "", verify: Any = False, **form: str) -> httpx.Response:
    body = {"grant_type": JWT_GRANT, "assertion": org.assertion()} | form
    async with httpx.AsyncClient(base_url=base_url or org.http_url, trust_env=False, verify=verify) as client:
        return await client.post("/services/oauth2/token", data=body)


async def test_good_assertion_buys_a_token_and_names_the_org(org: Org) -> None:
    answer = await log_in(org)

    body = answer.json()
    assert answer.status_code == 200
    assert body["access_token"].startswith("00Dxx0000000001!")
    assert body["token_type"] == "Bearer"
    assert body["instance_url"] == org.http_url
    assert body["id"].split("/")[-2:] == ["00Dxx0000000001EAA", "005xx000001SwiUAAS"]
    assert not {"refresh_token", "expires_in"} & set(body)


async def test_login_over_tls_names_the_tls_instance(org: Org) -> None:
    answer = await log_in(org, org.https_url, verify=org.keys.ssl_context())

    assert answer.json()["instance_url"] == org.https_url


async def test_expiry_may_come_as_text_and_the_token_is_shared(org: Org) -> None:
    assertion = org.assertion(exp=str(int(time.time()) + 180))

    answer = await log_in(org, assertion=assertion)

    assert answer.json()["access_token"] == await org.token()


@pytest.mark.parametrize(
    "ahead",
    [(int(time.time()) + 180) * 1000, str((int(time.time()) + 180) * 1000), 99_999_999_999],
    ids=["milliseconds", "milliseconds as text", "far ahead"],
)
async def test_an_expiry_far_ahead_or_in_milliseconds_logs_in(org: Org, ahead: Any) -> None:
    answer = await log_in(org, assertion=org.assertion(exp=ahead))

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"iss": "stranger"}, "invalid_client_id", "client identifier invalid"),
        ({"sub": "stranger@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"aud": "https://example.com"}, "invalid_grant", "audience is invalid"),
        ({"exp": 1_700_000_000}, "invalid_grant", "expired authorization code"),
        ({"exp": "nan"}, "invalid_grant", "expired authorization code"),
        ({"exp": 10**400}, "invalid_grant", "invalid assertion"),
    ],
)
async def test_wrong_claim_is_refused_with_the_vendors_words(
    org: Org, claims: dict[str, Any], error: str, description: str
) -> None:
    answer = await log_in(org, assertion=org.assertion(**claims))

    assert answer.status_code == 400
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"error": error, "error_description": description}


async def test_an_unknown_signature_is_refused(org: Org) -> None:
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    answer = await log_in(org, assertion=org.assertion(key))

    assert answer.json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


@pytest.mark.parametrize("assertion", ["rubbish", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
async def test_malformed_assertion_is_refused(org: Org, assertion: str) -> None:
    answer = await log_in(org, assertion=assertion)

    assert answer.json()["error"] == "invalid_grant"


async def test_other_grant_types_are_refused(org: Org) -> None:
    answer = await log_in(org, grant_type="password")

    assert answer.json()["error"] == "unsupported_grant_type"


async def test_a_call_without_a_valid_token_is_unauthorised(org: Org, api: httpx.AsyncClient) -> None:
    refusal = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]

    unknown = await api.get("/limits", headers={"Authorization": "Bearer nonsense"})
    org.clock.advance(timedelta(hours=2, minutes=1))
    expired = await api.get("/limits")

    assert (unknown.status_code, unknown.json()) == (401, refusal)
    assert (expired.status_code, expired.json()) == (401, refusal)


async def test_every_call_prolongs_the_session(org: Org, api: httpx.AsyncClient) -> None:
    for _ in range(3):
        org.clock.advance(timedelta(minutes=90))
        answer = await api.get("/limits")
        assert answer.status_code == 200


async def test_sessions_can_be_made_to_expire_now(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", FaultSettings(special={"expire_sessions": 1}))

    expired = await api.get("/limits")
    fresh = await api.get("/limits", headers={"Authorization": f"Bearer {await org.token()}"})

    assert (expired.status_code, fresh.status_code) == (401, 200)


async def test_user_info_tells_who_the_token_is(org: Org, api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{org.http_url}/services/oauth2/userinfo")

    body = answer.json()
    assert body["organization_id"] == "00Dxx0000000001EAA"
    assert body["user_id"] == "005xx000001SwiUAAS"
    assert body["preferred_username"] == org.settings.sf_username


async def test_revoked_token_is_dead(org: Org, api: httpx.AsyncClient) -> None:
    await api.post(f"{org.http_url}/services/oauth2/revoke", data={"token": await org.token()})

    assert (await api.get("/limits")).status_code == 401


async def test_the_identity_a_login_names_tells_its_user(org: Org, api: httpx.AsyncClient) -> None:
    identity = (await log_in(org)).json()["id"]

    answer = await api.get(identity)
    strange = await api.get(identity.replace("/005", "/006"))
    unknown = await api.get(identity, headers={"Authorization": "Bearer x"})

    body = answer.json()
    assert (body["id"], body["username"]) == (identity, org.settings.sf_username)
    assert (await api.get(body["urls"]["sobjects"].replace("{version}", "62.0"))).status_code == 200
    assert (strange.status_code, unknown.status_code) == (403, 403)


@pytest.mark.parametrize("grant", ["client_credentials", "password", "refresh_token"])
async def test_a_grant_that_is_not_there_is_named(org: Org, grant: str) -> None:
    answer = await log_in(org, grant_type=grant)

    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
