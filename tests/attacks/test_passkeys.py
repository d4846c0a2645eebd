"""Passkey answers that are replayed, from another user, forged or for another purpose."""

import asyncio
import json

import pytest

from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import is_recent, let_the_proof_age
from tests.support.clients.authenticator import password_only, turn_on
from tests.support.clients.soft_passkey import SoftPasskey, add_passkey, sign_in_options
from tests.support.clients.visitor import Visitor, mailed

SIGN_IN = "/api/auth/passkey"


async def status_of(somebody: Visitor, passkey: str) -> int:
    """Return what signing in with a passkey's answer gets."""
    return (await somebody.call("POST", SIGN_IN, {"passkey": passkey})).status_code


async def test_a_passkey_answer_signs_in_once_even_when_sent_concurrently(hana: Visitor, portal: Portal) -> None:
    passkey = await add_passkey(hana)
    visitors = [Visitor(portal.settings) for _ in range(8)]
    proof = passkey.prove(await sign_in_options(visitors[0]))
    answers = await asyncio.gather(*(status_of(each, proof) for each in visitors))
    assert sorted(answers) == [200] + [401] * 7
    assert await status_of(visitors[0], proof) == 401


async def test_a_passkey_answer_counts_only_for_its_purpose(hana: Visitor, visitor: Visitor, portal: Portal) -> None:
    passkey = await add_passkey(hana)
    await turn_on(hana)
    await let_the_proof_age(portal, hana)
    for_sign_in = passkey.prove(await sign_in_options(visitor))
    assert (await hana.call("POST", "/api/me/step-up", {"passkey": for_sign_in})).status_code == 422
    assert not await is_recent(portal, hana)
    for_step_up = passkey.prove((await hana.call("POST", "/api/me/step-up/passkey-options")).json())
    assert await status_of(visitor, for_step_up) == 401
    pending = await password_only(portal.settings, hana.email)
    again = passkey.prove(await sign_in_options(visitor))
    assert (await pending.call("POST", "/api/auth/second-step", {"passkey": again})).status_code == 422


async def test_another_users_passkey_is_refused_as_second_factor_and_step_up(
    hana: Visitor, aiko: Visitor, portal: Portal
) -> None:
    await turn_on(hana)
    theirs = await add_passkey(aiko, "Aiko's")
    pending = await password_only(portal.settings, hana.email)
    options = (await pending.call("POST", "/api/auth/second-step/passkey-options")).json()
    answer = await pending.call("POST", "/api/auth/second-step", {"passkey": theirs.prove(options)})
    assert answer.status_code == 422
    await let_the_proof_age(portal, hana)
    for asked_by in (hana, aiko):
        options = (await asked_by.call("POST", "/api/me/step-up/passkey-options")).json()
        assert (await hana.call("POST", "/api/me/step-up", {"passkey": theirs.prove(options)})).status_code == 422
    assert not await is_recent(portal, hana)


@pytest.mark.parametrize("counters", [(9, 9), (9, 8), (9, 1)], ids=["again", "one back", "far back"])
async def test_a_counter_that_goes_back_is_refused_and_told_to_the_owner(
    hana: Visitor, visitor: Visitor, worker: Portal, counters: tuple[int, int]
) -> None:
    passkey = await add_passkey(hana, "Phone")
    before, then = counters
    assert await status_of(visitor, passkey.prove(await sign_in_options(visitor), count=before)) == 200
    assert await status_of(visitor, passkey.prove(await sign_in_options(visitor), count=then)) == 401
    history = (await hana.get("/api/me/history")).json()["items"]
    assert [each["event"] for each in history].count("factor:passkey:copied") == 1
    assert await mailed(worker, hana.email, "passkey_copied") == {"occasion": "passkey_copied", "title": "Phone"}


async def test_a_device_that_never_counts_alarms_nobody(hana: Visitor, visitor: Visitor) -> None:
    passkey = await add_passkey(hana)
    for _ in range(2):
        passkey.count = -1
        assert await status_of(visitor, passkey.prove(await sign_in_options(visitor))) == 200


@pytest.mark.parametrize("embedded", [True, "true", 1])
async def test_a_passkey_used_inside_another_sites_page_is_refused_and_not_added(
    hana: Visitor, visitor: Visitor, embedded: object
) -> None:
    passkey = await add_passkey(hana)
    passkey.cross_origin = embedded
    assert await status_of(visitor, passkey.prove(await sign_in_options(visitor))) == 401
    other = SoftPasskey(hana.settings.portal_url)
    other.cross_origin = embedded
    made = other.make((await hana.call("POST", "/api/me/passkeys/options")).json())
    assert (await hana.call("POST", "/api/me/passkeys", {"passkey": made, "name": "x"})).status_code == 422


@pytest.mark.parametrize("flaw", ["origin", "look-alike", "site", "unverified", "counter", "signature", "owner", "key"])
async def test_a_flawed_answer_signs_nobody_in(hana: Visitor, visitor: Visitor, portal: Portal, flaw: str) -> None:
    passkey = await add_passkey(hana)
    passkey.count = 9
    assert await status_of(visitor, passkey.prove(await sign_in_options(visitor))) == 200
    if flaw == "origin":
        passkey.origin = "https://evil.example"
    if flaw == "look-alike":
        passkey.origin = portal.settings.portal_url + ".evil.example"
    if flaw == "site":
        passkey.rp_id = "evil.example"
    if flaw == "key":
        forged = SoftPasskey(passkey.origin)
        forged.id, passkey = passkey.id, forged
    options = await sign_in_options(visitor)
    proof = json.loads(
        passkey.prove(
            options,
            verified=flaw != "unverified",
            owner=b"\1" * 16 if flaw == "owner" else b"",
            count=10 if flaw == "counter" else 20,
        )
    )
    if flaw == "signature":
        proof["response"]["signature"] = proof["response"]["signature"][:-8] + "AAAAAAAA"
    assert await status_of(Visitor(portal.settings), json.dumps(proof)) == 401


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '"x"', "{", '{"id": 1}', '{"response": {}}', "\u0000", "[" * 5000, '{"a":' * 900]
)
async def test_a_malformed_passkey_answer_is_refused(hana: Visitor, visitor: Visitor, text: str) -> None:
    assert await status_of(visitor, text) == 401
    answer = await hana.call("POST", "/api/me/passkeys", {"passkey": text, "name": "x"})
    assert answer.status_code == 422


async def test_passkey_answer_members_of_the_wrong_type_are_refused(hana: Visitor, visitor: Visitor) -> None:
    passkey = await add_passkey(hana)
    good = json.loads(passkey.prove(await sign_in_options(visitor)))
    for name in ("clientDataJSON", "authenticatorData", "signature"):
        for value in (None, 1, [], {}, "", "!", "AAAA", "A" * 9000):
            bad = {**good, "response": {**good["response"], name: value}}
            assert await status_of(visitor, json.dumps(bad)) == 401


async def test_an_unverified_or_known_passkey_is_not_added(hana: Visitor, aiko: Visitor) -> None:
    passkey = SoftPasskey(hana.settings.portal_url)
    options = (await hana.call("POST", "/api/me/passkeys/options")).json()
    body = {"passkey": passkey.make(options, verified=False), "name": "x"}
    assert (await hana.call("POST", "/api/me/passkeys", body)).status_code == 422
    known = await add_passkey(hana)
    options = (await aiko.call("POST", "/api/me/passkeys/options")).json()
    assert (
        await aiko.call("POST", "/api/me/passkeys", {"passkey": known.make(options), "name": "x"})
    ).status_code == 422


async def test_another_users_challenge_adds_no_passkey(hana: Visitor, aiko: Visitor) -> None:
    options = (await aiko.call("POST", "/api/me/passkeys/options")).json()
    made = SoftPasskey(hana.settings.portal_url).make(options)
    assert (await hana.call("POST", "/api/me/passkeys", {"passkey": made, "name": "x"})).status_code == 422


async def test_passkeys_and_sessions_of_another_user_are_not_found(
    hana: Visitor, aiko: Visitor, portal: Portal
) -> None:
    await add_passkey(hana)
    (item,) = (await hana.get("/api/me/passkeys")).json()["items"]
    assert (await aiko.call("PATCH", f"/api/me/passkeys/{item['id']}", {"name": "mine"})).status_code == 404
    assert (await aiko.call("DELETE", f"/api/me/passkeys/{item['id']}")).status_code == 404
    session = portal.identity.sessions.read_access_token(hana.cookie("access")).session_id
    assert (await aiko.call("DELETE", f"/api/me/sessions/{session}")).status_code == 404
    for malformed in ("x", "0", "00000000-0000-4000-8000-00000000000g", "%00"):
        assert (await aiko.call("DELETE", f"/api/me/sessions/{malformed}")).status_code == 404
    assert (await hana.get("/api/me")).status_code == 200
    assert (await hana.get("/api/me/passkeys")).json()["items"] == [item]
