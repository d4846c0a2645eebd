"""Proofs of a step-up that are replayed, borrowed from elsewhere or worth too little."""

from uuid import uuid4

from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import is_recent, let_the_proof_age
from tests.support.clients.authenticator import password_only, turn_on
from tests.support.clients.visitor import Visitor
from tests.support.running.world import PASSWORD

STEP_UP = "/api/me/step-up"


async def test_a_replayed_step_up_proves_nothing(hana: Visitor, portal: Portal) -> None:
    key, proof = uuid4().hex, {"password": PASSWORD}
    assert (await hana.call("POST", STEP_UP, proof, Idempotency_Key=key)).status_code == 200
    await let_the_proof_age(portal, hana)
    replayed = await hana.call("POST", STEP_UP, proof, Idempotency_Key=key)
    assert replayed.status_code == 200 and "set-cookie" not in replayed.headers
    assert not await is_recent(portal, hana)


async def test_a_code_that_signed_in_confirms_nothing_afterwards(hana: Visitor, portal: Portal) -> None:
    app = await turn_on(hana)
    code, browser = app.code(), await password_only(portal.settings, hana.email)
    assert (await browser.call("POST", "/api/auth/second-step", {"code": code})).status_code == 200
    await let_the_proof_age(portal, browser)
    assert (await browser.call("POST", STEP_UP, {"code": code})).status_code == 422
    assert not await is_recent(portal, browser)


async def test_with_mfa_a_right_password_gets_the_same_answer_as_a_wrong_one(hana: Visitor, portal: Portal) -> None:
    await turn_on(hana)
    await let_the_proof_age(portal, hana)
    for path, proofs in {
        STEP_UP: [{"password": PASSWORD}, {"password": "wrong horse battery"}],
        "/api/me/password": [{"present": each, "password": "a new sentence"} for each in (PASSWORD, "wrong horse")],
    }.items():
        right, wrong = [await hana.call("POST", path, proof) for proof in proofs]
        assert (right.status_code, right.content) == (wrong.status_code, wrong.content)
        assert right.status_code in (403, 422)


async def test_one_sessions_proof_does_not_stamp_another(hana: Visitor, portal: Portal) -> None:
    other = await Visitor(portal.settings).sign_in(hana.email)
    await let_the_proof_age(portal, hana)
    await let_the_proof_age(portal, other)
    hana.set_cookie("refresh", other.cookie("refresh"))
    assert (await hana.call("POST", STEP_UP, {"password": PASSWORD})).status_code == 401
    assert not await is_recent(portal, hana) and not await is_recent(portal, other)
    await other.http.aclose()
