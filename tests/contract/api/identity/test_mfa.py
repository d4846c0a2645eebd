"""Two-step sign-in over the API: turned on with an app, asked for after the password, turned off again."""

import pytest

from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import is_recent, let_the_proof_age
from tests.support.clients.authenticator import password_only, turn_on
from tests.support.clients.visitor import Visitor, mailed
from tests.support.running.world import PASSWORD

STEP = "/api/auth/second-step"


async def test_the_second_factor_is_required_before_a_session_opens(hana: Visitor, portal: Portal) -> None:
    app = await turn_on(hana)
    assert len(set(app.recovery_codes)) == 10
    other = await password_only(portal.settings, hana.email)
    assert (await other.get("/api/me")).status_code == 401
    answer = await other.submit(STEP, code=f"{app.code()[:3]} {app.code()[3:]}", next="/orders")
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders")
    assert (await other.get("/api/me")).status_code == 200
    assert not other.cookie("second")
    assert portal.identity.sessions.read_access_token(other.cookie("access")).factors == ("pwd", "otp")


async def test_a_code_sent_before_the_page_loaded_leads_to_the_requested_page(hana: Visitor, portal: Portal) -> None:
    app = await turn_on(hana)
    other = await password_only(portal.settings, hana.email)
    answer = await other.submit(STEP, page="/auth/second-step?next=%2Forders", code=app.code(), next="")
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders")


async def test_turning_it_on_signs_other_devices_out_and_is_mailed(
    hana: Visitor, portal: Portal, worker: Portal
) -> None:
    other = await Visitor(portal.settings).sign_in(hana.email)
    await turn_on(hana)
    assert (await other.get("/api/me")).status_code == 401
    assert (await hana.get("/api/me")).status_code == 200
    assert (await mailed(worker, hana.email))["occasion"] == "two_step_on"


async def test_a_recovery_code_signs_in_once_and_is_mailed(hana: Visitor, portal: Portal, worker: Portal) -> None:
    app = await turn_on(hana)
    code = app.recovery_codes[3].upper().replace("-", " ")
    other = await password_only(portal.settings, hana.email)
    assert (await other.call("POST", STEP, {"code": code})).status_code == 200
    mail = await mailed(worker, hana.email)
    assert mail["occasion"] in ("recovery_code_used", "new_device")
    again = await password_only(portal.settings, hana.email)
    assert (await again.call("POST", STEP, {"code": code})).status_code == 422
    view = (await other.get("/api/me/two-step")).json()
    assert (view["on"], view["recovery_codes_left"]) == (True, 9)


async def test_a_wrong_first_code_turns_nothing_on(hana: Visitor, portal: Portal) -> None:
    assert (await hana.call("POST", "/api/me/two-step/confirm", {"code": "123456"})).status_code == 409
    key = (await hana.call("POST", "/api/me/two-step")).json()["key"]
    for code in ("", "12345", "abcdef", "１２３４５", "\ud83d\ude00" * 3, key):
        answer = await hana.call("POST", "/api/me/two-step/confirm", {"code": code})
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["code"])
    assert (await hana.get("/api/me/two-step")).json()["on"] is False
    await Visitor(portal.settings).sign_in(hana.email)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/me/two-step", None),
        ("POST", "/api/me/two-step/confirm", {"code": "123456"}),
        ("POST", "/api/me/two-step/recovery-codes", None),
        ("DELETE", "/api/me/two-step", None),
        ("POST", "/api/me/passkeys/options", None),
        ("POST", "/api/me/passkeys", {"passkey": "{}", "name": "x"}),
        ("PATCH", "/api/me/passkeys/00000000-0000-4000-8000-000000000000", {"name": "x"}),
        ("DELETE", "/api/me/passkeys/00000000-0000-4000-8000-000000000000", None),
    ],
)
async def test_every_change_asks_for_a_recent_proof(
    hana: Visitor, portal: Portal, method: str, path: str, body: object
) -> None:
    await let_the_proof_age(portal, hana)
    answer = await hana.call(method, path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_needed")


async def test_with_mfa_a_code_confirms_and_the_password_alone_does_not(hana: Visitor, portal: Portal) -> None:
    app = await turn_on(hana)
    await let_the_proof_age(portal, hana)
    assert (await hana.call("POST", "/api/me/step-up", {"password": PASSWORD})).status_code == 422
    assert not await is_recent(portal, hana)
    assert (await hana.call("POST", "/api/me/step-up", {"code": app.code()})).status_code == 200
    assert await is_recent(portal, hana)


async def test_with_mfa_a_stolen_password_cannot_change_the_password(hana: Visitor, portal: Portal) -> None:
    app, change = await turn_on(hana), {"present": PASSWORD, "password": "a quite different sentence"}
    await let_the_proof_age(portal, hana)
    answer = await hana.call("POST", "/api/me/password", change)
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_needed")
    assert (await hana.call("POST", "/api/me/step-up", {"code": app.code()})).status_code == 200
    assert (await hana.call("POST", "/api/me/password", change)).status_code == 200


async def test_new_recovery_codes_end_the_old_ones(hana: Visitor, portal: Portal) -> None:
    app = await turn_on(hana)
    fresh = (await hana.call("POST", "/api/me/two-step/recovery-codes")).json()["recovery_codes"]
    other = await password_only(portal.settings, hana.email)
    assert (await other.call("POST", STEP, {"code": app.recovery_codes[0]})).status_code == 422
    assert (await other.call("POST", STEP, {"code": fresh[0]})).status_code == 200


async def test_after_turning_mfa_off_the_password_is_enough_and_old_codes_are_refused(
    hana: Visitor, portal: Portal, worker: Portal
) -> None:
    app = await turn_on(hana)
    waiting = await password_only(portal.settings, hana.email)
    assert (await hana.call("DELETE", "/api/me/two-step")).status_code == 200
    assert (await mailed(worker, hana.email))["occasion"] == "two_step_off"
    assert (await waiting.call("POST", STEP, {"code": app.recovery_codes[0]})).status_code == 422
    await Visitor(portal.settings).sign_in(hana.email)


async def test_the_secret_and_the_codes_are_not_readable_in_the_database(hana: Visitor, worker: Portal) -> None:
    app = await turn_on(hana)
    async with worker.database.unit_of_work() as session:
        connection = await session.connection()
        kept = (await connection.exec_driver_sql("SELECT secret FROM authenticators")).scalars().all()
    assert all(app.key.encode() not in bytes(secret) for secret in kept)
