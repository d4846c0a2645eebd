"""Every registered handler, called over a raw socket: without a cookie, with another customer's ids, with nonsense."""

import asyncio
import inspect
import json
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from reflex_base.registry import RegistrationContext

from portal_app.infra.settings import Settings
from portal_app.pages import all_pages
from tests.support.clients.api_steps import DETAILS
from tests.support.clients.raw_socket import RawSocket, raw_socket
from tests.support.running.world import AIKO, BEN, PASSWORD, world

assert all_pages
ACCOUNT = "reflex___state____state.portal_app___state___profile___account____account_page.load"
POSTCODE = "reflex___state____state.portal_app___state___profile___address____address_page.look_up_postcode"
PUBLIC_POSTCODE = POSTCODE.replace("profile___address____address", "registration___details____details")
# As much as one message may carry; more ends the socket (test_filling_redis.py).
HUGE, DEEP = "x" * 30_000, json.loads("[" * 400 + "]" * 400)
NONSENSE: list[Any] = [
    None, True, -1, 2**70, 1.5, [], {}, "", "\x00", "\ud800", HUGE, DEEP, {"form": {"a": []}},
    {"first_name": ["x"], "email": {"a": 1}, "code": 7, "postcode": "\x00", "language": None}, "' OR 1=1 --",
]  # fmt: skip
# Handlers that take an account over, with arguments that would succeed.
SECURITY = "reflex___state____state.portal_app___state___identity___security____security_page."
PAGES = "reflex___state____state.portal_app___state___"
BILLING, CHECKOUT = f"{PAGES}billing___", f"{PAGES}checkout___review____checkout_page.load"
CALLS = f"{PAGES}calls___calls____calls_page."
NAMES = {"first_name": "Aiko", "last_name": "Tanaka", "first_name_kana": "アイコ", "last_name_kana": "タナカ"}
RISKY: dict[str, dict[str, Any]] = {
    f"{SECURITY}begin_two_step": {},
    f"{SECURITY}turn_on": {"form": {"code": "123456"}},
    f"{SECURITY}renew_codes": {},
    f"{SECURITY}turn_off": {},
    f"{SECURITY}add_passkey": {},
    ACCOUNT.replace("load", "save_person"): {"form": {**NAMES, "phone": "080-9999-0000"}},
    f"{BILLING}invoice____invoice_page.pay": {},
    f"{BILLING}invoice____invoice_page.download_pdf": {},
    f"{BILLING}invoices____invoices_page.download_csv": {},
    f"{CALLS}unlock": {},
    f"{CALLS}choose_month": {"wanted": "2026-11"},
    f"{CALLS}download": {},
    f"{CALLS}download_whole": {},
    f"{BILLING}payment_methods____payment_methods_page.add_card": {},
    CHECKOUT.replace("load", "add_card"): {},
    f"{PAGES}orders___order____order_page.add_card": {},
    POSTCODE.replace("look_up_postcode", "save_address"): {"form": DETAILS},
    f"{PAGES}subscriptions___subscription____subscription_page.turn_on_auto_top_up": {},
    f"{PAGES}notifications___preferences____notifications_page.make_link": {},
    ACCOUNT.replace("load", "begin_email_change"): {"form": {"email": "mallory@example.jp"}},
}
# Malformed events: not a dictionary, without a name, with a name that is not text, invalid JSON, NaN.
NO_EVENTS = [
    '["event"]', '["event", 7]', '["event", "x"]', '["event", {}]', '["event", {"name": 7}]', '["event", {"name": []}]',
    '["event", {"name": "a.b", "payload": [1, 2], "router_data": {}}]', '["event", NaN]', '["event", {"name":',
    '["event", {"name": "state.load", "payload": [], "router_data": []}]', '["no_such_event", {}]', "{}", "",
    '["event", {"name": "a.b.c", "payload": {"x": NaN}, "router_data": {"pathname": 7, "query": 7, "asPath": []}}]',
]  # fmt: skip


def handlers() -> dict[str, list[str]]:
    """Return every handler the app knows with the names of its arguments: a new one is attacked by itself."""
    found = RegistrationContext.get().event_handlers
    return {name: list(inspect.signature(one.handler.fn).parameters)[1:] for name, one in found.items()}


def test_the_upload_route_of_the_framework_is_closed_to_everybody(web: Settings) -> None:
    for cookies in ("", cookies_of(web, BEN)):
        headers = {"Cookie": cookies, "Origin": web.portal_url, "Reflex-Client-Token": str(uuid4())}
        for path in ("/_upload", "/_upload/x.jpg", "/_upload/"):
            answer = httpx.post(web.portal_url + path, files={"files": ("x.jpg", b"x")}, headers=headers)
            assert answer.status_code == 404


def cookies_of(web: Settings, email: str) -> str:
    """Sign somebody in and return their cookies."""
    answer = httpx.post(f"{web.portal_url}/api/auth/login", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


def rows_hash(customer: str = "") -> dict[str, str]:
    """Return a fingerprint of all rows, or of one customer's, without columns that every read changes."""
    tables = (
        "users", "profiles", "email_changes", "orders", "order_events", "invoices_mirror", "subscriptions_mirror",
        "idempotency_keys", "id_mappings", "authenticators", "passkeys", "mails", "cancellations",
    )  # fmt: skip
    columns = {"profiles": "user_id, wanted, accepted, version", "invoices_mirror": "invoice_id, user_id, body",
               "subscriptions_mirror": "service_id, user_id, body"}  # fmt: skip
    owned = {"users": "id"}
    # Making one's own calendar link takes no arguments: called by its owner it is no nonsense.
    sources = {"mails": "(SELECT * FROM mails WHERE occasion <> 'calendar_link_made') mails"}
    query = (
        "SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM "
        "(SELECT {what} FROM {table} WHERE %(id)s IN ('', {owner}::text)) t"
    )
    kept: dict[str, str] = {}
    with psycopg.connect(world().postgres.url()) as connection:
        for table in tables:
            source, owner_of = sources.get(table, table), owned.get(table, "user_id")
            text = query.format(what=columns.get(table, "*"), table=source, owner=owner_of)
            kept[table] = str(connection.execute(text, {"id": customer}).fetchone())
    return kept


async def settled_hash(before: dict[str, str]) -> dict[str, str]:
    """Return what is kept once all is as before, or ten seconds later.

    What was under way as its socket broke holds a key until it is refused.
    """
    for _ in range(100):
        if (kept := rows_hash() | {"authenticators": ""}) == before:
            break
        await asyncio.sleep(0.1)
    return kept


def ids_of_ben(web: Settings) -> list[str]:
    """Return the ids of Ben's invoice, service and order, and of Ben himself."""
    with httpx.Client(base_url=web.portal_url, headers={"Cookie": cookies_of(web, BEN)}) as ben:
        invoice = ben.get("/api/invoices").json()["items"][0]["id"]
        service = ben.get("/api/subscriptions").json()["items"][0]["id"]
        key = {"Idempotency-Key": "an-order-to-look-at"}
        order = ben.post(
            "/api/orders", json={"sku": "VPN-REMOTE-ACCESS-UK-LONDON", "terms_accepted": True}, headers=key
        ).json()["id"]
    with psycopg.connect(world().postgres.url()) as owner:
        query = "SELECT user_id, sf_account_id FROM id_mappings JOIN orders USING (user_id) WHERE orders.id = %s"
        found = owner.execute(query, (order,)).fetchone()
    return [str(invoice), str(service), str(order), *map(str, found)]


async def still_works(socket: RawSocket, name: str) -> None:
    """Check that the next event of the tab is answered with its own customer's data."""
    socket.received.clear()
    await socket.send(ACCOUNT, path="/account")
    await socket.wait_for_words("first_name", name)


async def test_no_handler_does_anything_without_a_cookie(web: Settings) -> None:
    before = rows_hash()
    async with raw_socket(web) as stranger:
        for handler, arguments in handlers().items():
            await stranger.send(handler, dict.fromkeys(arguments, "1"))
        await stranger.send("reflex___state____state.no_such_handler")
        # Events are answered in order: with this answer everything sent before has been handled.
        await stranger.wait_for_words("must_reload")
        await stranger.send(
            f"{POSTCODE.replace('profile___address____address', 'registration___details____details')}",
            {"postcode": "5300001"},
        )
        await stranger.wait_for_words("Umeda")
        answers = " ".join(stranger.received)
    for private in ("Ben", "Aiko", BEN, AIKO, "¥", "Invoice "):
        assert private not in answers
    assert rows_hash() == before


async def test_another_customers_ids_in_every_argument_and_address_show_and_change_nothing_of_theirs(
    web: Settings,
) -> None:
    ids = ids_of_ben(web)
    invoice, service, order = ids[:3]
    pages = [f"/billing/invoices/{invoice}", f"/subscriptions/{service}", f"/orders/{order}"]
    pages.append(f"/subscriptions/{service}/cancel")
    mine = cookies_of(web, AIKO)
    async with raw_socket(web, cookies=mine) as aiko:
        await still_works(aiko, "Aiko")
        before = rows_hash(ids[3])
        for handler, arguments in handlers().items():
            for index, place in enumerate(pages):
                values = {name: ids[(index + at) % len(ids)] for at, name in enumerate(arguments)}
                await aiko.send(handler, values, path=place)
        # Events of one tab are answered in order: with this answer everything sent before has been handled.
        await aiko.send(POSTCODE, {"postcode": "5300001"}, path="/account/address")
        await aiko.wait_for_words("Umeda")
        answers = " ".join(aiko.received)
    for private in ("Ben", BEN):
        assert private not in answers, private
    # Every detail page says "not found" for a record of another customer.
    assert answers.count('"missing_rx_state_":true') >= len(pages)
    assert rows_hash(ids[3]) == before


async def test_no_risky_handler_does_anything_before_a_recent_proof(web: Settings) -> None:
    mine = cookies_of(web, AIKO)
    with psycopg.connect(world().postgres.url(), autocommit=True) as owner:
        owner.execute("UPDATE sessions SET confirmed_at = confirmed_at - interval '1 hour'")
    async with raw_socket(web, cookies=mine) as socket:
        await still_works(socket, "Aiko")
    before = rows_hash()
    for handler, arguments in RISKY.items():
        async with raw_socket(web, cookies=mine) as socket:
            await socket.send(handler, arguments, path="/account")
            await socket.wait_for_words('"by_password_rx_state_":true')
            # Going on without having confirmed does nothing either.
            await socket.send(
                "reflex___state____state.portal_app___state___shell___step_up____step_up.go_on", path="/account"
            )
            await still_works(socket, "Aiko")
    assert rows_hash() == before


@pytest.mark.parametrize("who", ["", AIKO], ids=["stranger", "customer"])
async def test_nonsense_is_refused_and_the_next_event_works(web: Settings, who: str) -> None:
    mine = cookies_of(web, AIKO)
    before = rows_hash()
    async with raw_socket(web, cookies=mine if who else "") as socket:
        for number, (handler, arguments) in enumerate(handlers().items()):
            for turn in range(3):
                value = NONSENSE[(number * 3 + turn) % len(NONSENSE)]
                # One message carries it for all arguments together.
                value = HUGE[: len(HUGE) // max(1, len(arguments))] if value is HUGE else value
                await socket.send(handler, dict.fromkeys(arguments, value))
            await socket.send(handler, {"no_such_argument": 1})
        await socket.send("__class__")
        await socket.send(ACCOUNT, path="/account")
        await (socket.wait_for_words("first_name", "Aiko") if who else socket.wait_for_words("must_reload"))
    # A malformed event closes its socket; a new one of the same browser works at once.
    for text in NO_EVENTS:
        async with raw_socket(web, cookies=mine if who else "") as socket:
            await socket.send_text(text)
            assert await socket.closed_with() == 1008
    async with raw_socket(web, cookies=mine) as again:
        await still_works(again, "Aiko")
    # The handler that starts a second factor takes no arguments, so its owner may call it.
    assert await settled_hash(before | {"authenticators": ""}) == before | {"authenticators": ""}
