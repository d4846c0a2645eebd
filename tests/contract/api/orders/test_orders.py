"""Placing orders: once per key, at the catalogue's price."""

import asyncio
from uuid import uuid4

import httpx

from portal_app.infra.redis.rate_limit import refusal
from portal_app.language import _, speaking
from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import SKU
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import BEN, servers, world
from tests.support.waiting import until


async def test_an_order_is_placed_and_followed(ben: Visitor) -> None:
    answer = await ben.call("POST", "/api/orders", {"sku": SKU, "terms_accepted": True}, Idempotency_Key=uuid4().hex)
    placed = answer.json()
    assert (answer.status_code, placed["stage"]) == (201, "received")
    assert (placed["monthly"]["minor"], placed["one_time"]["minor"]) == (2500, 3000)
    shown = (await ben.get(answer.headers["location"])).json()
    assert shown["lines"] == placed["lines"] and [event["step"] for event in shown["events"]] == ["placed"]
    assert placed["id"] in [row["id"] for row in (await ben.get("/api/orders")).json()["items"]]


async def test_an_order_without_a_key_is_refused(ben: Visitor) -> None:
    answer = await ben.call("POST", "/api/orders", {"sku": SKU, "terms_accepted": True}, Idempotency_Key="")
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


async def test_the_same_key_gives_the_same_order(ben: Visitor) -> None:
    key = uuid4().hex
    first = await ben.call("POST", "/api/orders", {"sku": SKU, "terms_accepted": True}, Idempotency_Key=key)
    again = await ben.call("POST", "/api/orders", {"sku": SKU, "terms_accepted": True}, Idempotency_Key=key)
    assert (first.status_code, first.content) == (again.status_code, again.content)


async def test_twenty_concurrent_calls_with_one_key_are_one_order(ben: Visitor) -> None:
    before = len((await ben.get("/api/orders")).json()["items"])
    key = uuid4().hex
    answers = await asyncio.gather(
        *(ben.call("POST", "/api/orders", {"sku": SKU, "terms_accepted": True}, Idempotency_Key=key) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await ben.get("/api/orders")).json()["items"]) == before + 1


async def test_a_new_order_invalidates_the_cached_summary(ben: Visitor, portal: Portal) -> None:
    customer = await portal.identity.accounts.customer(
        portal.identity.sessions.read_access_token(ben.cookie("access")).user_id
    )

    async def kept() -> bool:
        await ben.get("/api/me/summary")
        return await portal.cache.peek_bytes(portal.dashboard.summary.cache_entry(customer.user_id)) is not None

    await until(kept, "the summary is kept")
    answer = await ben.call("POST", "/api/orders", {"sku": SKU, "terms_accepted": True}, Idempotency_Key=uuid4().hex)
    shown = (await ben.get("/api/me/summary")).json()["orders"]
    assert answer.json()["id"] in [order["id"] for order in shown]


async def test_a_key_used_for_another_plan_is_refused(ben: Visitor) -> None:
    key = uuid4().hex
    await ben.call("POST", "/api/orders", {"sku": SKU, "terms_accepted": True}, Idempotency_Key=key)
    answer = await ben.call(
        "POST", "/api/orders", {"sku": "VPN-REMOTE-ACCESS-USA-SF", "terms_accepted": True}, Idempotency_Key=key
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_an_order_without_a_card_says_what_is_missing(aiko: Visitor) -> None:
    answer = await aiko.call("POST", "/api/orders", {"sku": SKU, "terms_accepted": True}, Idempotency_Key=uuid4().hex)
    assert (answer.status_code, set(answer.json()["fields"])) == (422, {"payment"})


async def test_a_plan_that_is_not_sold_is_not_found(ben: Visitor) -> None:
    for sku in ("VPN-ACTIVATION-FEE", "NO-SUCH-PLAN", "VPN' OR '1'='1"):
        answer = await ben.call(
            "POST", "/api/orders", {"sku": sku, "terms_accepted": True}, Idempotency_Key=uuid4().hex
        )
        assert answer.status_code == 404


async def test_a_sim_order_takes_its_answers_and_refuses_what_is_missing(ben: Visitor) -> None:
    sim = {"sim_type": "esim", "eid": "8904 9032 0000 0100 0000 0123 4567 8954", "start": "now"}
    body = {"sku": "SIM-DATA-ONLY-5GB", "terms_accepted": True, "answers": {"sim": sim}}
    placed = (await ben.call("POST", "/api/orders", body, Idempotency_Key=uuid4().hex)).json()
    assert (placed["monthly"]["minor"], placed["one_time"]["minor"]) == (1100, 1500)
    for change, field in (
        ({"answers": {}}, "sim_type"),
        ({"answers": {"sim": sim | {"eid": "1"}}}, "eid"),
        ({"terms_accepted": False}, "terms_accepted"),
        ({"answers": {"sim": sim, "number": {}}}, "answers"),
        ({"answers": {"sim": sim | {"sim_type": "physical"}}}, "address"),
    ):
        answer = await ben.call("POST", "/api/orders", body | change, Idempotency_Key=uuid4().hex)
        assert (answer.status_code, set(answer.json()["fields"]) >= {field}) == (422, True)


async def test_a_family_plan_is_refused_without_a_line(ben: Visitor) -> None:
    body = {"sku": "SIM-DATA-VOICE-5GB-FAMILY", "terms_accepted": True}
    assert (await ben.call("POST", "/api/orders", body, Idempotency_Key=uuid4().hex)).status_code == 403


async def test_an_internet_plan_is_refused_before_the_address_was_checked(ben: Visitor) -> None:
    body = {"sku": "INTERNET-GOLD-HOME-1G", "terms_accepted": True}
    answer = await ben.call("POST", "/api/orders", body, Idempotency_Key=uuid4().hex)
    assert (answer.status_code, set(answer.json()["fields"])) == (422, {"address"})


async def test_a_customer_places_only_so_many_orders_and_a_repeated_one_is_not_counted(portal: Portal) -> None:
    changes = {"portal_order_limit": "4/hour", "portal_same_order_limit": "3/hour"}
    async with instead_of(portal, world().settings_with(**changes, redis_url=servers().redis(7))) as strict:
        await strict.redis.flushdb()
        ben, key = await Visitor(strict.settings).sign_in(BEN), uuid4().hex
        same, other = {"sku": SKU, "terms_accepted": True}, {"sku": "VPN-REMOTE-ACCESS-USA-SF", "terms_accepted": True}

        async def ordered(body: dict, **header: str) -> httpx.Response:
            return await ben.call("POST", "/api/orders", body, **header)

        assert {(await ordered(same, Idempotency_Key=key)).json()["id"] for _ in range(5)} != set()
        # Of fifteen keys for the same contents, as of a client that forgets its keys, two more count.
        told = [answer.status_code for answer in await asyncio.gather(*(ordered(same) for _ in range(15)))]
        assert sorted(told) == [201] * 2 + [429] * 13
        assert [(await ordered(other)).status_code for _ in range(2)] == [201, 429]
        refused = await ordered(other)
        assert refused.json()["detail"].startswith("You have placed many orders in a short time. Try again in ")
        assert 3000 < int(refused.headers["retry-after"]) <= 3601
        # What is wrong with an order is still said, and another customer orders on.
        assert (await ordered({"sku": "nothing", "terms_accepted": True})).status_code == 404
        assert (await ordered(same, Idempotency_Key=key)).status_code == 201


async def test_a_draft_over_the_limit_says_so_on_its_page_in_its_language() -> None:
    words = "You have placed many orders in a short time. Try again in {wait}, or write to us if you need more at once."
    error = refusal(3600, words)
    with speaking("ja"):
        assert _(error.user_message).startswith("短い時間に多くのお申し込みをいただいています。1時間後に")
