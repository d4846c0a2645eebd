"""Passkeys over the API: added, used to sign in, as second step and as step-up, renamed, removed."""

from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import is_recent, let_the_proof_age
from tests.support.clients.authenticator import password_only, turn_on
from tests.support.clients.soft_passkey import add_passkey, sign_in_options
from tests.support.clients.visitor import Visitor, mailed

SIGN_IN = "/api/auth/passkey"


async def test_a_passkey_signs_in_without_a_password_even_past_two_steps(
    hana: Visitor, visitor: Visitor, portal: Portal
) -> None:
    passkey = await add_passkey(hana)
    await turn_on(hana)
    owner = portal.identity.sessions.read_access_token(hana.cookie("access")).user_id.bytes
    proof = passkey.prove(await sign_in_options(visitor), owner=owner)
    answer = await visitor.call("POST", SIGN_IN, {"passkey": proof, "next": "/orders"})
    assert (answer.status_code, answer.json()) == (200, {"next": "/orders"})
    assert (await visitor.get("/api/me")).json()["email"] == hana.email
    assert portal.identity.sessions.read_access_token(visitor.cookie("access")).factors == ("passkey",)
    (item,) = (await visitor.get("/api/me/passkeys")).json()["items"]
    assert item["name"] == "Phone" and item["used_at"]


async def test_a_passkey_is_a_second_step(hana: Visitor, portal: Portal) -> None:
    passkey = await add_passkey(hana)
    await turn_on(hana)
    other = await password_only(portal.settings, hana.email)
    options = (await other.call("POST", "/api/auth/second-step/passkey-options")).json()
    assert [each["id"] for each in options["allowCredentials"]]
    answer = await other.call("POST", "/api/auth/second-step", {"passkey": passkey.prove(options)})
    assert answer.status_code == 200
    assert portal.identity.sessions.read_access_token(other.cookie("access")).factors == ("pwd", "passkey")


async def test_a_passkey_is_a_step_up(hana: Visitor, portal: Portal) -> None:
    passkey = await add_passkey(hana)
    await let_the_proof_age(portal, hana)
    options = (await hana.call("POST", "/api/me/step-up/passkey-options")).json()
    assert (await hana.call("POST", "/api/me/step-up", {"passkey": passkey.prove(options)})).status_code == 200
    assert await is_recent(portal, hana)


async def test_several_passkeys_are_named_renamed_and_removed(
    hana: Visitor, visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    first = await add_passkey(hana, "Phone")
    assert (await mailed(worker, hana.email))["occasion"] == "passkey_added"
    await add_passkey(hana, "  Key\u0000 ring ")
    items = (await hana.get("/api/me/passkeys")).json()["items"]
    assert [item["name"] for item in items] == ["Phone", "Key ring"]
    path = f"/api/me/passkeys/{items[0]['id']}"
    assert (await hana.call("PATCH", path, {"name": "Old phone"})).status_code == 200
    assert (await hana.call("PATCH", path, {"name": " \u200b\n"})).status_code == 422
    elsewhere = await Visitor(portal.settings).sign_in(hana.email)
    assert (await hana.call("DELETE", path)).status_code == 200
    mail = await mailed(worker, hana.email)
    assert (mail["occasion"], mail["title"]) == ("passkey_removed", "Old phone")
    assert (await elsewhere.get("/api/me")).status_code == 401
    answer = await visitor.call("POST", SIGN_IN, {"passkey": first.prove(await sign_in_options(visitor))})
    assert answer.status_code == 401
    assert (await hana.call("DELETE", path)).status_code == 404
