"""Logins to Salesforce: one login for all waiting calls, expired sessions, and failed logins."""

import asyncio
import json
from base64 import urlsafe_b64decode

import pytest

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.settings import Settings
from portal_app.integrations.http import vendor_client
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.login import LOGINS_PER_MINUTE, SalesforceLogin, SalesforceSession
from portal_app.integrations.throttling.vendor_call import Misconfigured
from tests.contract.salesforce.scripted import (
    EXPIRED,
    HTML,
    ORDER,
    ROWS,
    by_path,
    client,
    find,
    key_file,
    limiters,
    logins,
    server,
    settings,
)
from tests.support.vendors.scripted_server import ScriptedServer, Slowly, half, http

__all__ = ["client", "key_file", "limiters", "server", "settings"]


async def test_the_login_is_signed_and_every_call_carries_its_token(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    server.script(by_path(server, ROWS))
    assert (await find(client))[0]["Id"] == ORDER
    claims = server.requests[0]["assertion"].split(".")[1]
    payload = json.loads(urlsafe_b64decode(claims + "=="))
    assert (payload["iss"], payload["sub"], payload["aud"]) == ("consumer", "portal@example.jp", server.url)
    assert isinstance(payload["exp"], int)
    assert server.headers[1]["authorization"] == "Bearer 00D!token0"
    assert server.headers[1]["sforce-call-options"] == "client=portal"


def test_a_token_does_not_show_in_a_representation() -> None:
    assert "secret" not in repr(SalesforceSession("secret", "https://acme.my.salesforce.com", "00Dxx0000000001EAA"))


async def test_many_calls_at_once_log_in_once(client: SalesforceClient, server: ScriptedServer) -> None:
    server.script(by_path(server, ROWS))
    await asyncio.gather(*(find(client) for _ in range(8)))
    assert logins(server) == 1


async def test_an_expired_session_is_renewed_once_for_all_who_met_it(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    server.script(by_path(server, lambda form: EXPIRED if "token0" in server.headers[-1]["authorization"] else ROWS))
    assert all(await asyncio.gather(*(find(client) for _ in range(8))))
    assert logins(server) == 2


async def test_a_login_that_hangs_does_not_take_the_next_call_along(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    server.script(Slowly(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500), by_path(server, ROWS))
    assert await find(client)


async def test_a_session_that_is_never_accepted_does_not_lead_to_endless_logins(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    server.script(by_path(server, EXPIRED))
    for _ in range(8):
        with pytest.raises(ExternalUnavailable):
            await find(client)
    assert logins(server) <= LOGINS_PER_MINUTE


async def test_a_401_of_another_kind_does_not_log_in_again(client: SalesforceClient, server: ScriptedServer) -> None:
    text = "This session is not valid for use with the REST API"
    server.script(by_path(server, http([{"message": text, "errorCode": "INVALID_SESSION_ID"}], 401)))
    with pytest.raises(Misconfigured):
        await find(client)
    assert logins(server) == 1


@pytest.mark.parametrize(
    "refusal", [{"error": "invalid_grant", "error_description": "user hasn't approved"}, {"error": "invalid_client_id"}]
)
async def test_a_refused_login_is_our_outage(client: SalesforceClient, server: ScriptedServer, refusal: dict) -> None:
    server.script(http(refusal, 400))
    with pytest.raises(Misconfigured):
        await find(client)
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [HTML, http(b"[]"), http({"access_token": "x"}), half(b"{")])
async def test_a_login_answered_with_nonsense_is_unavailable(
    client: SalesforceClient, server: ScriptedServer, answer: bytes
) -> None:
    server.script(answer)
    with pytest.raises(ExternalUnavailable):
        await find(client)


async def test_a_missing_key_file_is_our_outage(settings: Settings) -> None:
    wrong = settings.model_copy(update={"sf_private_key_file": "/nowhere.pem"})
    login = SalesforceLogin(wrong, vendor_client(timeout=0.5))
    with pytest.raises(Misconfigured):
        await login.session()
    await login.aclose()
