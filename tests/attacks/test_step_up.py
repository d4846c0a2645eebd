"""Acts that need a proof, and proofs that are guessed, replayed, borrowed from elsewhere or worth too little."""

from datetime import timedelta
from uuid import uuid4

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.models.email_outbox import Mail
from portal_app.models.lockout import SignInAttempts
from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import SKU, flash_of, is_recent, let_the_proof_age
from tests.support.clients.authenticator import password_only, turn_on
from tests.support.clients.soft_passkey import add_passkey
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import PASSWORD, world

STEP_UP = "/api/me/step-up"
ADDRESS = {
    "postcode": "106-0044", "prefecture": "東京都", "city": "港区", "town": "東麻布", "street": "1-5-3", "building": "",
    "city_romanised": "Minato-ku", "town_romanised": "Higashiazabu", "building_romanised": "",
}  # fmt: skip
ORDER = ("POST", "/api/orders", {"sku": SKU, "terms_accepted": True})
# Ordered at once and billed each month; a service that nobody has.
LIKE_ORDERS: list[tuple[str, str, dict[str, object]]] = [
    ("POST", "/api/subscriptions/1/sim/options", {"option": "roaming", "on": True, "total": 220, "understood": True}),
    ("POST", "/api/subscriptions/1/sim/plan", {"sku": "SIM-DATA-VOICE-25GB", "total": 3850}),
]
# What needs a proof of the last minutes: docs/decisions/0026. Ids that nobody has do no harm afterwards.
RISKY: list[tuple[str, str, dict[str, object] | None]] = [
    ("PATCH", "/api/me/address", ADDRESS),
    ("PATCH", "/api/me", {"phone": "080-9999-0000"}),
    ("POST", "/api/me/email", {"email": "mallory@example.jp"}),
    ("POST", "/api/me/calendar", None),
    ("POST", "/api/invoices/2/sso-link", None),
    ("POST", "/api/invoices/2/sso-link?target=pdf", None),
    ("POST", "/api/payment-methods/sso-link", {"back": ""}),
    ("POST", "/api/payment-methods/987654/default", None),
    ("DELETE", "/api/payment-methods/987654", None),
    ("GET", "/api/invoices.csv", None),
    ("GET", "/api/subscriptions/1/sim/calls", None),
    ("GET", "/api/subscriptions/1/sim/calls.csv", None),
    ("POST", "/api/subscriptions/1/cancellation", {"reason": "price"}),
    ("PUT", "/api/subscriptions/1/sim/auto-top-up", {"gigabytes": 1, "threshold_mb": 1024, "cap": 5500, "total": 550}),
]


async def test_no_risky_act_is_done_on_an_old_proof_and_each_goes_on_after_a_fresh_one(
    ben: Visitor, portal: Portal
) -> None:
    await let_the_proof_age(portal, ben, hours=0.1)
    old = {call[1]: await ben.call(*call) for call in RISKY}
    told = {path: (answer.status_code, answer.json()["code"]) for path, answer in old.items()}
    assert told == dict.fromkeys(old, (403, "step_up_needed"))
    assert (await ben.call("POST", STEP_UP, {"password": PASSWORD})).status_code == 200
    # The address and the phone number would stay with Ben, and the service would end: other tests do these.
    harmless = [call for call in RISKY if call[0] != "PATCH" and "cancellation" not in call[1]]
    assert [call[1] for call in harmless if (await ben.call(*call)).status_code == 403] == []


async def test_a_form_without_a_fresh_proof_leads_back_to_its_page_which_says_why(ben: Visitor, portal: Portal) -> None:
    await let_the_proof_age(portal, ben)
    for path, page in (
        ("/api/invoices/2/sso-link", "/billing/invoices/2"),
        ("/api/payment-methods/sso-link", "/billing/payments"),
    ):
        flash = await flash_of(portal, await ben.submit(path, page=page), page)
        assert flash["form"] == "Confirm that it is you to go on."


async def test_ordering_needs_a_proof_of_the_day_and_not_of_the_minute(ben: Visitor, portal: Portal) -> None:
    await let_the_proof_age(portal, ben, hours=11.9)
    assert (await ben.call(*ORDER)).status_code == 201
    assert [(await ben.call(*call)).status_code for call in LIKE_ORDERS] == [404, 404]
    await let_the_proof_age(portal, ben, hours=12.1)
    for call in (ORDER, *LIKE_ORDERS):
        refused = await ben.call(*call)
        assert (refused.status_code, refused.json()["code"]) == (403, "step_up_needed"), call


async def test_wrong_proofs_are_recorded_counted_over_days_and_told_to_the_owner_once(
    hana: Visitor, portal: Portal, worker: Portal
) -> None:
    strict = world().settings_with(portal_lock_tries=3, portal_password_limit="100/minute")
    guesses = [("/api/me/password", {"present": f"guess {n}", "password": "nine red oranges"}) for n in range(2)]
    guesses += [(STEP_UP, {"password": "guess"}), (STEP_UP, {"code": "123456"})]
    async with instead_of(portal, strict):
        assert [(await hana.call("POST", *guess)).status_code for guess in guesses] == [422, 422, 422, 429]
        # The right one is held back too, and the lock is longer after each further try.
        assert (await hana.call("POST", STEP_UP, {"password": PASSWORD})).status_code == 429
        assert await locked_seconds(portal, hana) <= strict.portal_lock_seconds
        for days in (1, 3):
            await let_tries_age(portal, hana, days=days)
            assert (await hana.call("POST", STEP_UP, {"password": "guess"})).status_code == 422
        assert await locked_seconds(portal, hana) > 3 * strict.portal_lock_seconds
        # Signing in is not locked, and is a proof of its own.
        await Visitor(portal.settings).sign_in(hana.email)
    history = (await hana.get("/api/me/history")).json()["items"]
    failed = [each["event"] for each in history if each["event"].endswith((":refused", "step_up:failed"))]
    assert sorted(failed) == ["account:password:refused"] * 2 + ["session:step_up:failed"] * 3
    assert await count_mails(worker, hana.email, "proof_locked") == 1


async def test_a_right_proof_forgets_the_wrong_ones_before_it(hana: Visitor, portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(portal_lock_tries=3)):
        for _ in range(3):
            told = [(await hana.call("POST", STEP_UP, {"password": each})).status_code for each in ("x", "y", PASSWORD)]
            assert told == [422, 422, 200]


async def test_a_lock_leaves_a_passkey_as_the_way_to_go_on(hana: Visitor, portal: Portal) -> None:
    passkey = await add_passkey(hana)
    async with instead_of(portal, world().settings_with(portal_lock_tries=2)):
        for _ in range(3):
            locked = await hana.call("POST", STEP_UP, {"password": "guess"})
        proof = passkey.prove((await hana.call("POST", f"{STEP_UP}/passkey-options")).json())
        confirmed = await hana.call("POST", STEP_UP, {"passkey": proof})
    assert (locked.status_code, confirmed.status_code) == (429, 200)


async def tries_of(portal: Portal, somebody: Visitor, session: AsyncSession) -> SignInAttempts:
    user_id = portal.identity.sessions.read_access_token(somebody.cookie("access")).user_id
    index = portal.identity.secrets.tokens.hash(str(user_id), "proof-attempts")
    return await session.get_one(SignInAttempts, index)


async def locked_seconds(portal: Portal, somebody: Visitor) -> float:
    async with portal.database.identity() as session:
        row = await tries_of(portal, somebody, session)
        return (row.locked_until - now()).total_seconds() if row.locked_until else 0


async def let_tries_age(portal: Portal, somebody: Visitor, *, days: int) -> None:
    async with portal.database.identity() as session:
        row = await tries_of(portal, somebody, session)
        row.tried_at -= timedelta(days=days)
        row.locked_until = None


async def count_mails(worker: Portal, email: str, template: str) -> int:
    async with worker.database.unit_of_work() as session:
        rows = (await session.exec(select(Mail).where(Mail.template == template))).all()
    return sum(row.recipient == email for row in rows)


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
