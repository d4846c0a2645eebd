"""One key, one effect: every changing call repeated, concurrent, reused and abandoned."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import psycopg
import pytest

from portal_app.api.application import build_api
from portal_app.domain.checkout.request import OrderRequest
from portal_app.domain.errors import KeyReused, StillRunning
from portal_app.domain.idempotency import PLACE_ORDER, SCHEDULE_CANCELLATION, WITHDRAW_CANCELLATION, Call
from portal_app.wiring.portal import Portal
from tests.support.clients.api_routes import changing_routes
from tests.support.clients.authenticator import App
from tests.support.clients.placing import place_order
from tests.support.clients.visitor import Visitor, running
from tests.support.running.world import PASSWORD, world

# Signing in and out, single-use links to WHMCS, and challenges, which are new by nature.
# A document is recognised by its content: the same one twice counts once.
# Uploads are begun by any tus client, whose key is optional; a form carries its key as a field.
# What needs no account has no owner of keys; following twice is following once.
EXEMPT = (
    *("/api/auth/", "/sso-link", "/options", "/passkey-options", "/identity-document"),
    *("/api/uploads", "/reply-form"),
    *("/api/help/", "/api/contact", "/api/status/"),
)
NEW_PASSWORD = "a quite different sentence"


def user_of(portal: Portal, somebody: Visitor) -> UUID:
    return portal.identity.sessions.read_access_token(somebody.cookie("access")).user_id


def owner(statement: str, *values: object) -> int:
    """Run a statement as the owner of the database; return how many rows it touched."""
    with psycopg.connect(world().postgres.url(), autocommit=True) as connection:
        return connection.execute(statement, values).rowcount


@pytest.fixture
async def quick() -> AsyncIterator[Portal]:
    """A second web process, which waits a moment only."""
    async with running(world().settings_with(portal_key_wait_seconds=0.1)) as built:
        yield built


async def test_every_call_that_changes_something_needs_a_key(ben: Visitor) -> None:
    routes = [(method, path) for method, path in changing_routes() if not any(part in path for part in EXEMPT)]
    assert len(routes) >= 17
    for method, path in routes:
        answer = await ben.call(method, path, {}, Idempotency_Key="")
        assert (method, path, answer.status_code) == (method, path, 400)
        assert answer.json()["code"] == "idempotency_key_missing"


@pytest.mark.parametrize("key", ["short", "x" * 201, "key\twith\ttabs"])
async def test_a_malformed_key_is_named(ben: Visitor, key: str) -> None:
    answer = await ben.call("DELETE", "/api/me/sessions", Idempotency_Key=key)
    assert (answer.status_code, set(answer.json()["fields"])) == (422, {"Idempotency-Key"})


async def test_a_repeated_call_gives_the_first_answer_and_does_nothing_again(hana: Visitor, portal: Portal) -> None:
    other = await Visitor(portal.settings).sign_in(hana.email)
    session, key = portal.identity.sessions.read_access_token(other.cookie("access")).session_id, uuid4().hex
    answers = [await hana.call("DELETE", f"/api/me/sessions/{session}", Idempotency_Key=key) for _ in range(2)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {})] * 2
    # A new key repeats the call: the session does not exist any more.
    assert (await hana.call("DELETE", f"/api/me/sessions/{session}")).status_code == 404
    await other.http.aclose()


async def test_a_key_is_bound_to_one_body_one_address_one_route_and_one_user(hana: Visitor, ben: Visitor) -> None:
    key, sessions = uuid4().hex, "/api/me/sessions"
    assert (await hana.call("DELETE", sessions, Idempotency_Key=key)).status_code == 200
    other_address = await hana.call("DELETE", f"{sessions}?everywhere=1", Idempotency_Key=key)
    assert (other_address.status_code, other_address.json()["code"]) == (422, "idempotency_key_reused")
    assert (await hana.call("POST", "/api/me/step-up", {"password": PASSWORD}, Idempotency_Key=key)).status_code == 200
    other_body = await hana.call("POST", "/api/me/step-up", {"password": PASSWORD, "next": "/"}, Idempotency_Key=key)
    assert (other_body.status_code, other_body.json()["code"]) == (422, "idempotency_key_reused")
    theirs = await Visitor(ben.settings).sign_in(ben.email)
    assert (await ben.call("DELETE", sessions, Idempotency_Key=key)).status_code == 200
    assert (await theirs.get("/api/me")).status_code == 401, "somebody else's key kept Ben's call from being done"
    await theirs.http.aclose()


async def test_a_failed_call_may_be_repeated_with_the_same_key(hana: Visitor) -> None:
    key = uuid4().hex
    for password, status in (("wrong", 422), (PASSWORD, 200)):
        answer = await hana.call("POST", "/api/me/step-up", {"password": password}, Idempotency_Key=key)
        assert answer.status_code == status


async def test_a_native_form_carries_its_key_in_a_field(hana: Visitor, portal: Portal) -> None:
    key = uuid4().hex
    form = {"present": PASSWORD, "password": NEW_PASSWORD, "idempotency_key": key}
    answers = [await hana.submit("/api/me/password", **form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    written = "DELETE FROM mails WHERE occasion = 'password_changed' AND user_id = %s"
    assert owner(written, user_of(portal, hana)) == 1
    without = await hana.submit("/api/me/password", present=NEW_PASSWORD, password=PASSWORD, idempotency_key="")
    assert without.status_code == 303 and "flash=" in without.headers["location"]
    assert (await hana.call("POST", "/api/me/step-up", {"password": NEW_PASSWORD})).status_code == 200


async def test_recovery_codes_are_shown_once_even_to_a_repeated_call(hana: Visitor) -> None:
    key = uuid4().hex
    begun = [(await hana.call("POST", "/api/me/two-step", Idempotency_Key=key)).json()["key"] for _ in range(2)]
    assert begun[0] == begun[1]
    code = {"code": App(begun[0]).code(-1)}
    confirm = [await hana.call("POST", "/api/me/two-step/confirm", code, Idempotency_Key=key) for _ in range(2)]
    first, again = (answer.json()["recovery_codes"] for answer in confirm)
    assert len(first) == 10 and again is None
    assert (await hana.get("/api/me/two-step")).json()["recovery_codes_left"] == 10


async def test_fifty_concurrent_calls_with_one_key_are_one_change(hana: Visitor, portal: Portal, quick: Portal) -> None:
    done, user_id = [], user_of(portal, hana)
    call = Call(user_id, "POST /api/test", uuid4().hex, "{}")

    async def do(_: object) -> str:
        done.append(uuid4().hex)
        return done[-1]

    answers = await asyncio.gather(*(each.idempotency.once(call, do) for _ in range(25) for each in (portal, quick)))
    assert answers == [done[0]] * 50 and len(done) == 1


async def test_a_repeated_call_waits_for_the_first_one_until_its_deadline(
    hana: Visitor, portal: Portal, quick: Portal
) -> None:
    call, begun, may_end = (
        Call(user_of(portal, hana), "POST /api/test", uuid4().hex, "{}"),
        asyncio.Event(),
        asyncio.Event(),
    )

    async def slow(_: object) -> str:
        begun.set()
        await may_end.wait()
        return "made"

    first = asyncio.create_task(portal.idempotency.once(call, slow))
    await begun.wait()
    with pytest.raises(StillRunning) as refusal:
        await quick.idempotency.once(call, slow)
    assert (refusal.value.status, refusal.value.retryable) == (409, True)
    waiting = asyncio.create_task(portal.idempotency.once(call, slow))
    may_end.set()
    assert await asyncio.gather(first, waiting) == ["made", "made"]
    with pytest.raises(KeyReused):
        await portal.idempotency.once(Call(call.user_id, call.operation, call.key, "other"), slow)


async def test_keys_of_dead_processes_and_expired_keys_are_free_again(
    hana: Visitor, portal: Portal, worker: Portal, quick: Portal
) -> None:
    call, done = Call(user_of(portal, hana), "POST /api/test", uuid4().hex, "{}"), []

    async def do(_: object) -> str:
        done.append("made")
        return f"made {len(done)}"

    age = "UPDATE idempotency_keys SET created_at = created_at - %s::interval WHERE key = %s"
    assert await portal.idempotency.once(call, do) == "made 1"
    owner(age, "23 hours", call.key)
    await worker.operations.cleanup.delete_expired()
    assert await portal.idempotency.once(call, do) == "made 1"
    owner(age, "2 hours", call.key)
    assert await portal.idempotency.once(call, do) == "made 2"
    # Its process dies during the call: no other call starts before its lease ends.
    owner("UPDATE idempotency_keys SET status = NULL WHERE key = %s", call.key)
    with pytest.raises(StillRunning):
        await quick.idempotency.once(call, do)
    owner(age, "2 minutes", call.key)
    assert await quick.idempotency.once(call, do) == "made 3"
    owner(age, "25 hours", call.key)
    await worker.operations.cleanup.delete_expired()
    assert owner("DELETE FROM idempotency_keys WHERE key = %s", call.key) == 0


@pytest.mark.parametrize("operation", [PLACE_ORDER, SCHEDULE_CANCELLATION, WITHDRAW_CANCELLATION])
async def test_pages_and_api_store_the_keys_of_an_operation_under_one_name(operation: str) -> None:
    method, path = operation.split(" ")
    assert method.lower() in build_api(world().settings).openapi()["paths"][path]


async def test_a_key_used_on_a_page_is_known_to_the_api(ben: Visitor, portal: Portal) -> None:
    customer = await portal.identity.accounts.customer(user_of(portal, ben))
    sku = (await ben.get("/api/services/vpn")).json()["items"][0]["sku"]
    key, wish = uuid4().hex, OrderRequest(sku, has_accepted_terms=True)
    placed = await place_order(portal, customer, wish, key=key, recipient=ben.email)
    answer = await ben.call("POST", "/api/orders", {"sku": sku, "terms_accepted": True}, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["id"]) == (201, str(placed.id))
